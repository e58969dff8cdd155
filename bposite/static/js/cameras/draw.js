// Drawing masks on the newest picture of a camera: areas as lists of corners, in shares of width and height.

const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [1000, 562.5];
const NEAR = 0.02;

const form = document.querySelector("[data-draw]");
const svg = form.querySelector("svg");
const field = form.querySelector("[data-shapes]");
const typed = form.querySelector("[data-typed]");
let masks = parse(field.value) ?? [];
let open = [];

function parse(text) {
  try { const found = JSON.parse(text || "[]"); return Array.isArray(found) ? found : null; } catch { return null; }
}

function make(name, attributes) {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  svg.append(node);
}

const spot = ([x, y]) => [x * WIDTH, y * HEIGHT];
const points = (list) => list.map((point) => spot(point).join(",")).join(" ");

function draw() {
  svg.replaceChildren();
  for (const mask of masks) make("polygon", { points: points(mask) });
  if (open.length) make("polyline", { points: points(open) });
  for (const [cx, cy] of open.map(spot)) make("circle", { cx, cy, r: 8 });
  field.value = JSON.stringify(masks);
  typed.value = field.value;
}

function add(point) {
  const [first] = open;
  const closes = open.length >= 3 && Math.hypot(point[0] - first[0], point[1] - first[1]) < NEAR;
  if (closes) { masks.push(open); open = []; } else open.push(point);
  draw();
}

svg.addEventListener("pointerdown", (event) => {
  const box = svg.getBoundingClientRect();
  const clamp = (value) => Math.round(Math.min(Math.max(value, 0), 1) * 10000) / 10000;
  add([clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)]);
});
form.querySelector("[data-undo]").addEventListener("click", () => { if (open.length) open.pop(); else masks.pop(); draw(); });
form.querySelector("[data-clear]").addEventListener("click", () => { masks = []; open = []; draw(); });
typed.addEventListener("change", () => {
  const found = parse(typed.value);
  typed.setAttribute("aria-invalid", String(found === null));
  if (found !== null) { masks = found; open = []; draw(); }
});
form.addEventListener("submit", () => {
  if (open.length >= 3) { masks.push(open); open = []; } // an area left open is meant as drawn
  draw();
});
draw();
