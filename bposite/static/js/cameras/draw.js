// Drawing masks (areas) or a crossing line on the newest picture of a camera. Shapes are shares of width and height.

const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [1000, 562.5];
const NEAR = 0.02;

const form = document.querySelector("[data-draw]");
const kind = form.dataset.draw;
const svg = form.querySelector("svg");
const field = form.querySelector("[data-shapes]");
const typed = form.querySelector("[data-typed]");
const masks = kind === "masks";
let shapes = parse(field.value) ?? [];
let open = [];

function parse(text) {
  try { const found = JSON.parse(text || "[]"); return Array.isArray(found) ? found : null; } catch { return null; }
}

function make(name, attributes, text = "") {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  svg.append(node);
}

const spot = ([x, y]) => [x * WIDTH, y * HEIGHT];
const points = (list) => list.map((point) => spot(point).join(",")).join(" ");

function draw() {
  svg.replaceChildren();
  if (masks) {
    shapes.forEach((mask) => make("polygon", { points: points(mask) }));
    if (open.length) make("polyline", { points: points(open) });
    open.forEach((point) => dot(point));
  } else {
    const ends = open.length ? open : shapes;
    ends.forEach((point) => dot(point));
    if (ends.length === 2) line(ends);
  }
  field.value = JSON.stringify(shapes);
  typed.value = JSON.stringify(shapes);
}

function dot(point) {
  const [cx, cy] = spot(point);
  make("circle", { cx, cy, r: 8 });
}

// The arrow says which way is in: from the line's left to its right.
function line(ends) {
  const [[x1, y1], [x2, y2]] = ends.map(spot);
  make("line", { x1, y1, x2, y2 });
  const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [nx, ny] = [-(y2 - y1) / length, (x2 - x1) / length];
  make("line", { x1: mx - nx * 40, y1: my - ny * 40, x2: mx + nx * 40, y2: my + ny * 40 });
  make("text", { x: mx + nx * 60 - 12, y: my + ny * 60 + 8 }, "in");
}

function add(point) {
  if (!masks) {
    if (open.length === 0) { shapes = []; open = [point]; } else { shapes = [open[0], point]; open = []; }
    return draw();
  }
  const [first] = open;
  const closes = open.length >= 3 && Math.hypot(point[0] - first[0], point[1] - first[1]) < NEAR;
  if (closes) { shapes.push(open); open = []; } else open.push(point);
  return draw();
}

svg.addEventListener("pointerdown", (event) => {
  const box = svg.getBoundingClientRect();
  const clamp = (value) => Math.round(Math.min(Math.max(value, 0), 1) * 10000) / 10000;
  add([clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)]);
});
form.querySelector("[data-undo]").addEventListener("click", () => {
  if (open.length) open.pop(); else if (masks) shapes.pop(); else shapes = [];
  draw();
});
form.querySelector("[data-clear]").addEventListener("click", () => { shapes = []; open = []; draw(); });
typed.addEventListener("change", () => {
  const found = parse(typed.value);
  typed.setAttribute("aria-invalid", String(found === null));
  if (found !== null) { shapes = found; open = []; draw(); }
});
form.addEventListener("submit", () => {
  if (masks && open.length >= 3) { shapes.push(open); open = []; } // an area left open is meant as drawn
  draw();
});
draw();
