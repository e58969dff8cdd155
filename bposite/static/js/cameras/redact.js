// Dragging rectangles over a picture: who may be recognised in the copy that leaves the house.

const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [1000, 562.5];
const form = document.querySelector("[data-redact]");

if (form) {
  const svg = form.querySelector("svg");
  const field = form.querySelector("[data-shapes]");
  const typed = form.querySelector("[data-typed]");
  let boxes = parse(field.value) ?? [];
  let from = null;
  let to = null;

  const round = (value) => Math.round(value * 10000) / 10000;

  function parse(text) {
    try { const found = JSON.parse(text || "[]"); return Array.isArray(found) ? found : null; } catch { return null; }
  }

  function place(event) {
    const box = svg.getBoundingClientRect();
    const share = (value, size) => round(Math.min(Math.max(value / size, 0), 1));
    return [share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height)];
  }

  function dragged() {
    const [left, top] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
    return [left, top, round(Math.abs(from[0] - to[0])), round(Math.abs(from[1] - to[1]))];
  }

  function draw() {
    svg.replaceChildren();
    for (const [left, top, width, height] of from && to ? [...boxes, dragged()] : boxes) {
      const node = document.createElementNS(SPACE, "rect");
      const size = { x: left * WIDTH, y: top * HEIGHT, width: width * WIDTH, height: height * HEIGHT };
      for (const [key, value] of Object.entries(size)) node.setAttribute(key, value);
      svg.append(node);
    }
    field.value = JSON.stringify(boxes);
    typed.value = field.value;
  }

  svg.addEventListener("pointerdown", (event) => { from = place(event); to = from; svg.setPointerCapture(event.pointerId); });
  svg.addEventListener("pointermove", (event) => { if (from) { to = place(event); draw(); } });
  svg.addEventListener("pointerup", () => {
    if (!from) return;
    const box = dragged();
    if (box[2] * box[3] > 0.0004) boxes.push(box);
    from = null;
    draw();
  });
  form.querySelector("[data-undo]").addEventListener("click", () => { boxes.pop(); draw(); });
  typed.addEventListener("change", () => {
    const found = parse(typed.value);
    typed.setAttribute("aria-invalid", String(found === null));
    if (found !== null) { boxes = found; draw(); }
  });
  draw();
}
