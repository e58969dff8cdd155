// Frame stepping in the clip of an entry: every frame exactly once, the moment marked, times on request.
// Attaches itself to every element with data-viewer (templates/cameras/parts.html, macro strip).

const AHEAD = 2;

class Viewer {
  constructor(root) {
    this.root = root;
    this.base = root.dataset.viewer;
    this.image = root.querySelector("[data-image]");
    this.range = root.querySelector("[data-range]");
    this.place = root.querySelector("[data-place]");
    this.overlay = root.querySelector("[data-overlay]");
    this.still = this.image.getAttribute("src");
    this.frames = null;
    this.at = 0;
    this.cache = new Map();
    if (root.dataset.hasClip) this.wire();
  }

  wire() {
    for (const button of this.root.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => this.step(Number(button.dataset.step)));
    }
    this.root.querySelector("[data-home]").addEventListener("click", () => this.home());
    this.range.addEventListener("input", () => this.show(Number(this.range.value)));
    this.root.querySelector("[data-overlay-switch]").addEventListener("click", (event) => this.times(event.currentTarget));
    this.root.querySelector(".viewer-picture").addEventListener("keydown", (event) => this.key(event));
    this.ready = this.load();
  }

  async load() {
    const answer = await fetch(`${this.base}/steps.json`, { headers: { Accept: "application/json" } });
    if (!answer.ok) { this.place.textContent = "The clip cannot be read"; return; }
    const steps = await answer.json();
    this.frames = steps.frames;
    this.moment = steps.moment;
    this.exact = steps.exact;
    this.range.max = String(this.frames.length - 1);
    this.at = this.moment;
    this.range.value = String(this.at);
    if (!this.still) this.show(this.at); else this.tell();
  }

  async step(by) {
    await this.ready;
    if (this.frames) this.show(this.at + by);
  }

  async home() {
    await this.ready;
    if (this.frames) this.show(this.moment);
  }

  key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    if (event.key in moves) this.step(moves[event.key]);
    else if (event.key === "m" || event.key === "Home") this.home();
    else return;
    event.preventDefault();
  }

  show(wanted) {
    this.at = Math.min(Math.max(wanted, 0), this.frames.length - 1);
    this.range.value = String(this.at);
    this.tell();
    const at = this.at;
    // the moment itself is shown from the stored picture, not from the clip
    const source = at === this.moment && this.exact && this.still ? this.still : this.picture(at);
    const loader = new Image();
    loader.onload = () => { if (this.at === at) this.put(source); };
    loader.onerror = () => { if (this.at === at) this.place.textContent = "This frame is damaged"; };
    loader.src = source;
    for (let next = 1; next <= AHEAD; next += 1) this.preload(at + next);
  }

  put(source) {
    this.root.querySelector("[data-nothing]")?.remove();
    this.image.hidden = false;
    this.image.src = source;
  }

  picture(step) { return `${this.base}/step/${step}.jpg`; }

  preload(step) {
    if (step >= this.frames.length || this.cache.has(step)) return;
    const image = new Image();
    image.src = this.picture(step);
    this.cache.set(step, image);
  }

  tell() {
    const offset = this.frames[this.at];
    const atMoment = this.at === this.moment && this.exact;
    this.root.dataset.atMoment = atMoment ? "1" : "";
    const words = atMoment ? "the moment" : `${offset > 0 ? "+" : "−"}${(Math.abs(offset) / 1000).toFixed(2)} s`;
    this.place.textContent = `${words} · ${this.at + 1}/${this.frames.length}`;
    this.range.setAttribute("aria-valuetext", this.place.textContent);
    const event = Date.parse(this.root.dataset.moment);
    this.overlay.textContent = `Event ${this.clock(event)}\nThis frame ${this.clock(event + offset)}`;
  }

  // the site's own clock, to the millisecond
  clock(at) {
    const parts = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false };
    return new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: this.root.dataset.zone }).format(at);
  }

  times(button) {
    this.overlay.hidden = !this.overlay.hidden;
    button.setAttribute("aria-pressed", String(!this.overlay.hidden));
  }
}

export function attach(root = document) {
  for (const node of root.querySelectorAll("[data-viewer]")) {
    if (!node.dataset.attached) { node.dataset.attached = "1"; new Viewer(node); }
  }
}

attach();
