// Sends looks one after the other, in order, each as often as it takes: the site stores each of them once.
import { keepLook, looksOf } from "./store.js";

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
const PATIENCE = 20_000;

// A message of the site that more tries will not change.
class Refused extends Error {}
class SignedOut extends Error {}
class OtherUser extends Error {}

export class Queue {
  // `places`: addresses {looks, token}; `user`: whose looks these are; `told(state)` hears every change;
  // `done(row, answer)` hears what the site said about a look.
  constructor(round, user, places, told, done) {
    Object.assign(this, { round, user, places, told, done });
    this.wait = FIRST_WAIT;
    this.timer = 0;
    this.busy = false;
    this.again = false;
    window.addEventListener("online", () => this.soon(0));
    window.addEventListener("offline", () => this.tell());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.soon(0); });
  }

  // Sends what waits, in `delay` ms at the latest.
  soon(delay = 0) {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.run(), delay);
  }

  async run() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    try {
      if (navigator.locks) {
        await navigator.locks.request(`walk-${this.round}`, { ifAvailable: true }, (lock) => lock && this.sendAll());
      } else {
        await this.sendAll();
      }
    } finally {
      this.busy = false;
      if (this.again) { this.again = false; this.soon(0); }
    }
  }

  async sendAll() {
    const waiting = (await looksOf(this.round)).filter((row) => row.state === "waiting");
    if (!waiting.length) { await this.tell(); return; }
    try {
      const token = await this.token();
      await this.tell("sending");
      for (const row of waiting) await this.sendOne(row, token);
      this.wait = FIRST_WAIT;
      await this.tell();
    } catch (error) {
      await this.tell(error instanceof SignedOut ? "signed-out" : error instanceof OtherUser ? "other-user" : "waiting");
      this.soon(this.wait * (0.7 + Math.random() * 0.6));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }
  }

  async sendOne(row, token) {
    const body = new FormData();
    body.set("look", JSON.stringify(row.look));
    for (const photo of row.photos) body.set(photo.id, photo.blob, `${photo.id}.jpg`);
    try {
      const answer = await ask(this.places.looks, { method: "POST", body, headers: { "X-CSRFToken": token } });
      await keepLook({ ...row, state: "sent", answer, photos: [] });
      this.done(row, answer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await keepLook({ ...row, state: "refused", error: error.message });
      this.done(row, null);
    }
    await this.tell("sending");
  }

  async token() {
    const found = await ask(this.places.token);
    if (found.user !== this.user) throw new OtherUser(found.name);
    return found.token;
  }

  async tell(state = "") {
    const rows = await looksOf(this.round);
    const waiting = rows.filter((row) => row.state === "waiting").length;
    const refused = rows.filter((row) => row.state === "refused").length;
    this.told({ state: state || (waiting ? "waiting" : "sent"), waiting, refused, online: navigator.onLine });
  }
}

// Fetches JSON. Throws Refused for an answer that will not change, anything else for what may pass.
export async function ask(address, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  const response = await fetch(address, { ...options, headers, signal: AbortSignal.timeout(PATIENCE), cache: "no-store" });
  if (response.status === 401 || response.redirected) throw new SignedOut();
  const kind = response.headers.get("Content-Type") || "";
  const data = kind.includes("json") ? await response.json() : {};
  if (response.ok) return data;
  // 400 is a stale form token, 408 and 429 pass, 5xx is ours: try again.
  if ([400, 408, 429].includes(response.status) || response.status >= 500) throw new Error(data.title || "later");
  throw new Refused([data.title, data.remedy].filter(Boolean).join(" ") || `The site answered ${response.status}.`);
}
