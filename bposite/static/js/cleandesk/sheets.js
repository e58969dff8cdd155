// The sheets that come up over the walk: what is wrong, why it cannot be seen, the list of places.
import { SEVERITY, badge, h, icon } from "./dom.js";
import { maskPhoto } from "./photo.js";
import { newId } from "./store.js";

const MOST_PHOTOS = 6;

// A sheet fills the screen, takes the focus, and gives it back.
export function sheet(title, ...content) {
  const before = document.activeElement;
  const heading = h("h2", { tabindex: "-1" }, title);
  const close = () => { node.remove(); before?.focus?.(); };
  const node = h("section", { class: "walk-sheet", role: "dialog", "aria-modal": "true", "aria-label": title },
    h("header", { class: "line apart" }, heading, h("button", { type: "button", class: "button plain walk-close", "aria-label": "Close", onclick: () => { node.dispatchEvent(new Event("closed")); close(); } }, icon("x"))),
    ...content);
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); node.dispatchEvent(new Event("closed")); close(); }
    if (event.key === "Tab") keepInside(node, event);
  });
  document.body.append(node);
  heading.focus();
  return { node, close };
}

function keepInside(node, event) {
  const all = [...node.querySelectorAll("button, input, textarea, select, a[href], canvas")].filter((one) => !one.disabled && one.offsetParent);
  const [first, last] = [all[0], all[all.length - 1]];
  if (event.shiftKey && document.activeElement === first) { last.focus(); event.preventDefault(); }
  else if (!event.shiftKey && document.activeElement === last) { first.focus(); event.preventDefault(); }
}

export function emptyDraft(place) {
  return { place, items: {}, note: "" };
}

// What is wrong at `stop`. `draft` is kept by `keep` at every touch, so that a killed tab loses nothing.
// Calls `save(draft)` with at least one item.
export function failSheet(stop, items, areas, draft, keep, save) {
  const error = h("p", { class: "walk-error", role: "alert", hidden: true });
  const note = h("textarea", { id: "walk-note", maxlength: "1000", rows: "2", value: draft.note, oninput: () => { draft.note = note.value; keep(draft); } });
  const count = () => Object.keys(draft.items).length;
  const button = h("button", { type: "button", class: "button primary big wide", onclick: () => {
    if (!count()) { error.textContent = "Tick what is wrong."; error.hidden = false; return; }
    close();
    save(draft);
  } });
  const label = () => { button.textContent = count() ? `Save ${count() === 1 ? "1 fault" : `${count()} faults`}` : "Save"; };
  const touched = () => { error.hidden = true; label(); keep(draft); };
  const groups = Object.entries(areas).map(([area, word]) => [word, items.filter((item) => item.area === area)]).filter(([, found]) => found.length)
    .map(([word, found]) => h("fieldset", { class: "walk-group" }, h("legend", {}, word), ...found.map((item) => itemRow(item, draft, touched))));
  label();
  const { node, close } = sheet(`${stop.label}: what is wrong?`, error,
    h("div", { class: "walk-scroll" }, ...groups,
      h("div", { class: "field" }, h("label", { for: "walk-note" }, "Note ", h("span", { class: "quiet small" }, "optional, no names")), note)),
    h("div", { class: "walk-actions" }, button));
  return { node, close };
}

function itemRow(item, draft, touched) {
  const more = h("div", { class: "walk-more" });
  const tick = h("input", { type: "checkbox", value: item.id, checked: Boolean(draft.items[item.id]), onchange: () => {
    if (tick.checked) draft.items[item.id] = { secured: false, flagged: false, photos: [] };
    else delete draft.items[item.id];
    show();
    touched();
  } });
  const show = () => more.replaceChildren(...(draft.items[item.id] ? details(item, draft, touched, show) : []));
  show();
  return h("div", { class: "walk-item" },
    h("label", { class: "check" }, tick, h("span", {}, item.fault, " ", badge(...SEVERITY[item.severity]))), more);
}

function details(item, draft, touched, show) {
  const chosen = draft.items[item.id];
  const toggle = (name, words) => {
    const box = h("input", { type: "checkbox", checked: chosen[name], onchange: () => { chosen[name] = box.checked; touched(); } });
    return h("label", { class: "check" }, box, h("span", {}, words));
  };
  const spot = `${item.on_the_spot[0].toUpperCase()}${item.on_the_spot.slice(1)}.`;
  return [
    h("p", { class: item.severity === "S1" ? "note alarm" : "note" }, item.severity === "S1" ? h("strong", {}, "Secure at once. ") : null, spot),
    toggle("secured", "Made safe"),
    item.incident === "when" ? toggle("flagged", `${item.incident_when[0].toUpperCase()}${item.incident_when.slice(1)}`) : null,
    item.photo === "none" ? null : photos(item, chosen, draft, touched, show),
  ].filter(Boolean);
}

function photos(item, chosen, draft, touched, show) {
  const problem = h("p", { class: "walk-error", role: "alert", hidden: true });
  const total = () => Object.values(draft.items).reduce((sum, one) => sum + one.photos.length, 0);
  const input = h("input", { type: "file", accept: "image/*", capture: "environment", hidden: true, onchange: async () => {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    const taken = await maskPhoto(file, item.photo === "redacted");
    if (taken?.error) { problem.textContent = taken.error; problem.hidden = false; return; }
    if (taken) { chosen.photos.push(taken); touched(); show(); }
  } });
  const thumbs = chosen.photos.map((photo) => {
    const address = URL.createObjectURL(photo.blob);
    const image = h("img", { src: address, alt: "Masked picture", onload: () => URL.revokeObjectURL(address) });
    return h("span", { class: "walk-thumb" }, image, h("button", { type: "button", class: "button small", onclick: () => { chosen.photos = chosen.photos.filter((one) => one !== photo); touched(); show(); } }, "Remove"));
  });
  const add = h("button", { type: "button", class: "button", disabled: total() >= MOST_PHOTOS, onclick: () => input.click() }, icon("camera"), " Picture");
  return h("div", { class: "walk-photos" }, ...thumbs, add, input, problem);
}

// Why it cannot be seen: one tap.
export function unseenSheet(stop, reasons, save) {
  const { close } = sheet(`${stop.label}: why can it not be seen?`,
    h("div", { class: "walk-scroll walk-reasons" }, ...Object.entries(reasons).map(([key, words]) =>
      h("button", { type: "button", class: "button big wide", onclick: () => { close(); save(key); } }, `${words[0].toUpperCase()}${words.slice(1)}`))),
    h("div", { class: "walk-actions" },
      h("button", { type: "button", class: "button plain wide", onclick: () => { close(); save(""); } }, "It can be seen, but the checks do not apply here")));
}

// All places; a tap goes there.
export function listSheet(stops, wordOf, go) {
  const { close } = sheet("All places",
    h("ul", { class: "walk-list walk-scroll" }, ...stops.map((stop) => h("li", {},
      h("button", { type: "button", class: "walk-stop", onclick: () => { close(); go(stop); } },
        h("span", { class: "grow" }, h("strong", {}, stop.label), h("span", { class: "small quiet" }, ` ${stop.team || ""}`)), wordOf(stop))))));
}

// A look as the site wants it.
export function lookOf(stop, seat, answer, more = {}) {
  return { id: newId(), place: stop.place, answer, seen_at: new Date().toISOString(), seat, corrects: stop.seen?.id || null, ...more };
}

// The look of a draft, and its pictures.
export function failOf(stop, seat, draft) {
  const ids = Object.keys(draft.items);
  const items = ids.map((id) => ({ item: id, secured: draft.items[id].secured, flagged: draft.items[id].flagged }));
  const photos = ids.flatMap((id) => draft.items[id].photos.map((photo) => ({ ...photo, item: id })));
  const told = photos.map(({ id, item, masks, nothing_to_mask }) => ({ id, item, masks, nothing_to_mask }));
  return { look: lookOf(stop, seat, "fail", { items, photos: told, note: draft.note.trim() }), photos };
}
