// The drawing board: drag places where they stand, by hand or with the arrow keys. Nothing is sent before "Save".
const root = document.querySelector("[data-drawing]");
const board = root.querySelector("[data-drawing-board]");
const save = document.querySelector("[data-drawing-save]");
const undo = document.querySelector("[data-drawing-undo]");
const told = document.querySelector("[data-drawing-state]");
const token = document.querySelector("meta[name=csrf-token]").content;
const SNAP = 10; // steps per metre
const KINDS = { desk: [1.4, 0.9], room: [2.6, 1.8], printer: [0.9, 0.9], bin: [0.7, 0.7], whiteboard: [1.6, 0.4] };

const changed = new Map();
const history = [];
let chosen = new Set();
let drag = null;

const snap = (value) => Math.max(0, Math.round(value * SNAP) / SNAP);
const at = (spot) => [Number(spot.dataset.x), Number(spot.dataset.y)];

function point(event) {
  const where = new DOMPoint(event.clientX, event.clientY).matrixTransform(board.getScreenCTM().inverse());
  return [where.x, where.y];
}

function put(spot, x, y) {
  [spot.dataset.x, spot.dataset.y] = [snap(x), snap(y)];
  spot.setAttribute("transform", `translate(${spot.dataset.x} ${spot.dataset.y})`);
  changed.set(spot.dataset.place, at(spot));
}

function say() {
  const count = changed.size;
  save.disabled = !count;
  undo.disabled = !history.length;
  told.textContent = count ? `${count} moved, not saved` : "";
}

function choose(spot, more) {
  if (!more && !chosen.has(spot)) chosen = new Set();
  if (more && chosen.has(spot)) chosen.delete(spot);
  else chosen.add(spot);
  for (const one of board.querySelectorAll(".spot")) one.classList.toggle("chosen", chosen.has(one));
}

const remember = () => history.push([...chosen].map((spot) => [spot, ...at(spot)]));

board.addEventListener("pointerdown", (event) => {
  const spot = event.target.closest(".spot");
  if (!spot) return;
  choose(spot, event.shiftKey);
  if (!chosen.size) return;
  spot.focus();
  board.setPointerCapture(event.pointerId);
  drag = { from: point(event), starts: [...chosen].map((one) => [one, ...at(one)]), moved: false };
});

board.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const [x, y] = point(event);
  const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
  if (!drag.moved && Math.hypot(dx, dy) < 0.15) return;
  if (!drag.moved) history.push(drag.starts);
  drag.moved = true;
  for (const [spot, left, top] of drag.starts) put(spot, left + dx, top + dy);
  say();
});

for (const name of ["pointerup", "pointercancel"]) board.addEventListener(name, () => { drag = null; });

board.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const spot = event.target.closest(".spot");
  if (!spot) return;
  if (event.key === "Enter" || event.key === " ") { choose(spot, true); event.preventDefault(); return; }
  if (!step) return;
  if (!chosen.has(spot)) choose(spot, false);
  remember();
  const size = event.shiftKey ? 1 : 1 / SNAP;
  for (const one of chosen) { const [x, y] = at(one); put(one, x + step[0] * size, y + step[1] * size); }
  event.preventDefault();
  say();
});

undo.addEventListener("click", () => {
  for (const [spot, x, y] of history.pop() || []) put(spot, x, y);
  say();
});

// A place from the tray goes to the middle of what is seen of the plan.
root.querySelector("[data-drawing-tray]").addEventListener("click", (event) => {
  const button = event.target.closest("[data-unplaced]");
  if (!button) return;
  const box = board.viewBox.baseVal;
  const spot = makeSpot(button.dataset.unplaced, button.textContent.trim(), button.dataset.kind);
  board.append(spot);
  put(spot, box.x + box.width / 2, box.y + box.height / 2);
  choose(spot, false);
  spot.focus();
  button.closest("li").remove();
  say();
});

function makeSpot(id, label, kind) {
  const make = (name, attributes) => { const node = document.createElementNS("http://www.w3.org/2000/svg", name); for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value); return node; };
  const [width, height] = KINDS[kind] || KINDS.desk;
  const spot = make("g", { class: `spot tone-none kind-${kind}`, "data-place": id, tabindex: 0, role: "button", "aria-label": label });
  const text = make("text", { x: width / 2, y: height / 2 + 0.14 });
  text.textContent = label.slice(-7);
  spot.append(make("rect", { width, height, rx: 0.12 }), text);
  return spot;
}

save.addEventListener("click", async () => {
  save.disabled = true;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token, Accept: "application/json" };
  const response = await fetch(root.dataset.url, { method: "POST", headers, body: JSON.stringify(Object.fromEntries(changed)) }).catch(() => null);
  if (!response?.ok) {
    const problem = await response?.json().catch(() => ({}));
    told.textContent = problem?.title || "Not saved: no network. Nothing is lost, try again.";
    save.disabled = false;
    return;
  }
  changed.clear();
  history.length = 0;
  say();
  told.textContent = "Saved";
});

window.addEventListener("beforeunload", (event) => { if (changed.size) event.preventDefault(); });

// An SVG drawing becomes a picture here, in the browser: the site takes no drawing that could carry a script.
const picture = root.querySelector("[data-drawing-picture]");
picture.addEventListener("change", async () => {
  const [file] = picture.files;
  if (!file || file.type !== "image/svg+xml") return;
  const image = new Image();
  const address = URL.createObjectURL(file);
  image.src = address;
  try {
    await image.decode();
    const scale = 1600 / Math.max(image.naturalWidth || 1600, image.naturalHeight || 1000);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.round((image.naturalWidth || 1600) * scale), Math.round((image.naturalHeight || 1000) * scale)];
    const paint = canvas.getContext("2d");
    paint.fillStyle = "#fff";
    paint.fillRect(0, 0, canvas.width, canvas.height);
    paint.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    const files = new DataTransfer();
    files.items.add(new File([blob], "floor.png", { type: "image/png" }));
    picture.files = files.files;
  } catch {
    told.textContent = "This drawing cannot be read.";
    picture.value = "";
  } finally {
    URL.revokeObjectURL(address);
  }
});
