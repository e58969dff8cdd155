// A picture for a finding: taken, made smaller, covered where it has to be, and only then kept. The file as the camera
// made it never leaves this page, and neither does the place where it was taken.
import { h, icon } from "./dom.js";
import { newId } from "./store.js";

const LONGEST = 1600;
const QUALITY = 0.82;
const LEAST = 0.01; // a box smaller than one per cent of the picture is a slip of the finger

// Lets the auditor mask `file`; resolves to {id, blob, masks, nothing_to_mask} or null.
export async function maskPhoto(file, mustMask) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return { error: "This file is not a picture that can be read. Take another one." };
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = h("canvas", { class: "mask-canvas", width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale), tabindex: "0", "aria-label": "Picture. Drag a box over everything that can be read and everybody who can be recognised." });
  const paint = canvas.getContext("2d");
  const boxes = [];
  let drawing = null;

  function draw() {
    paint.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    paint.fillStyle = "#000";
    for (const box of drawing ? [...boxes, drawing] : boxes) {
      paint.fillRect(box.x * canvas.width, box.y * canvas.height, box.w * canvas.width, box.h * canvas.height);
    }
  }

  const at = (event) => {
    const area = canvas.getBoundingClientRect();
    const clamp = (value) => Math.min(1, Math.max(0, value));
    return [clamp((event.clientX - area.left) / area.width), clamp((event.clientY - area.top) / area.height)];
  };
  let from = null;
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); from = at(event); event.preventDefault(); });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const [x, y] = at(event);
    drawing = { x: Math.min(x, from[0]), y: Math.min(y, from[1]), w: Math.abs(x - from[0]), h: Math.abs(y - from[1]) };
    draw();
  });
  const finish = () => {
    if (drawing && drawing.w > LEAST && drawing.h > LEAST) boxes.push(drawing);
    from = drawing = null;
    draw();
    check();
  };
  canvas.addEventListener("pointerup", finish);
  canvas.addEventListener("pointercancel", finish);

  const nothing = h("input", { type: "checkbox", onchange: () => check() });
  const use = h("button", { type: "button", class: "button primary big", disabled: true }, "Keep the picture");
  const undo = h("button", { type: "button", class: "button", onclick: () => { boxes.pop(); draw(); check(); } }, icon("undo-2"), " Last box");
  const back = h("button", { type: "button", class: "button plain" }, "Drop it");
  function check() {
    undo.disabled = !boxes.length;
    use.disabled = mustMask && !boxes.length && !nothing.checked;
  }
  const panel = h("section", { class: "walk-sheet mask", role: "dialog", "aria-modal": "true", "aria-label": "Cover the picture" },
    h("h2", {}, "Cover what can be read"),
    h("p", { class: "quiet" }, "Drag boxes over text, screens and faces. Never photograph a person."),
    h("div", { class: "mask-stage" }, canvas),
    mustMask ? h("label", { class: "check" }, nothing, h("span", {}, "Nothing can be read and nobody is in it")) : null,
    h("div", { class: "walk-actions" }, undo, back, use));
  document.body.append(panel);
  draw();
  check();
  canvas.focus();
  return new Promise((resolve) => {
    const close = (result) => { bitmap.close(); panel.remove(); resolve(result); };
    back.addEventListener("click", () => close(null));
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(null); } });
    use.addEventListener("click", () => canvas.toBlob(
      (blob) => close({ id: newId(), blob, masks: boxes.length, nothing_to_mask: nothing.checked }), "image/jpeg", QUALITY));
  });
}
