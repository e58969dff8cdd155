// The entry log: what is new waits behind a pill, arrow keys look at entries on the right, a range is dragged on the
// histogram. The list never moves under the cursor.
import { listen } from "../live.js";

const filters = document.querySelector("[data-more]");
if (filters?.dataset.more === "" && window.matchMedia("(max-width: 720px)").matches) filters.open = false;

const section = document.getElementById("entries");
const preview = document.getElementById("preview");
const rows = () => [...section.querySelectorAll("tr[data-position]")];
let chosen = null;
let waiting = 0;

function choose(row, { scroll = true } = {}) {
  if (!row || row.dataset.position === chosen) return;
  chosen = row.dataset.position;
  for (const other of rows()) other.setAttribute("aria-selected", String(other === row));
  if (scroll) row.scrollIntoView({ block: "nearest" });
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => show(chosen), 120);
}

async function show(position) {
  if (getComputedStyle(preview).display === "none") return;
  try {
    const answer = await fetch(`/entries/${position}/preview`, { headers: { "X-Fragment": "1" } });
    if (answer.ok && position === chosen) preview.innerHTML = await answer.text();
  } catch {
    preview.textContent = "The preview could not be fetched. The list is still right.";
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, summary")) return;
  const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
  const all = rows();
  const here = all.findIndex((row) => row.dataset.position === chosen);
  if (step && all.length) {
    event.preventDefault();
    choose(all[Math.min(all.length - 1, Math.max(0, here + step))]);
  } else if (event.key === "Enter" && here >= 0 && event.target === document.body) {
    all[here].querySelector("a")?.click();
  } else if (event.key === "r") {
    renew();
  }
});
// A click looks at an entry, a double click or its link opens it. Pointing alone does not: every look is recorded.
section.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-position]");
  if (!row || event.target.closest("a, button")) return;
  if (getComputedStyle(preview).display === "none") row.querySelector("a")?.click();
  else choose(row, { scroll: false });
});
section.addEventListener("dblclick", (event) => event.target.closest("tr[data-position]")?.querySelector("a")?.click());

// What is new
let newest = Number(section.dataset.newest);
const withQuery = (path, extra) => `${path}?${[section.dataset.query, extra].filter(Boolean).join("&")}`;

async function count() {
  const pill = section.querySelector("[data-news]");
  if (!pill) return;
  try {
    const answer = await fetch(withQuery("/entries/news", `since=${newest}`));
    if (!answer.ok) return;
    const { count: number, more } = await answer.json();
    pill.hidden = number === 0;
    pill.textContent = `${more ? `more than ${number}` : number} new`;
  } catch { /* not live at this moment: the mark says so */ }
}

async function renew() {
  try {
    const answer = await fetch(withQuery("/entries/", ""), { headers: { "X-Fragment": "1" } });
    if (!answer.ok) return;
    section.innerHTML = await answer.text();
    newest = Number(section.querySelector("tr[data-position]")?.dataset.position ?? newest);
    for (const row of rows()) newest = Math.max(newest, Number(row.dataset.position));
    drawable();
    const kept = rows().find((row) => row.dataset.position === chosen);
    kept?.setAttribute("aria-selected", "true");
  } catch { /* kept as it is */ }
}
section.addEventListener("click", (event) => { if (event.target.closest("[data-news]")) renew(); });

let soon = 0;
if (document.querySelector("[data-live-mark]")) {
  listen(section.dataset.topics, (topic, data) => {
    if (topic === "cameras") { fill(data); return; }
    if (section.dataset.first !== "1" || soon) return;
    soon = window.setTimeout(() => { soon = 0; count(); }, 600);
  });
}

// A picture that came after its entry takes the place that was kept for it.
function fill(data) {
  const row = rows().find((one) => Number(one.dataset.position) === data.position);
  const box = row?.querySelector(".still");
  if (section.dataset.sees !== "1" || !box || box.querySelector("img")) return;
  if (data.kind === "cameras:frame:linked") {
    const image = new Image(96, 54);
    image.alt = "";
    image.src = `/cameras/frames/${encodeURIComponent(data.subject)}/thumb.jpg`;
    box.replaceChildren(image);
  } else if (data.state === "no_video") {
    box.textContent = "no video";
  }
}

// A range dragged on the histogram becomes from and to.
function drawable() {
  const svg = section.querySelector("[data-chart]");
  if (!svg) return;
  const bars = [...svg.querySelectorAll("g")];
  const band = svg.querySelector(".drag");
  let start = -1;
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    return Math.min(bars.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * bars.length)));
  };
  const paint = (a, b) => {
    const width = 960 / bars.length;
    band.removeAttribute("hidden");
    band.setAttribute("x", Math.min(a, b) * width);
    band.setAttribute("width", (Math.abs(a - b) + 1) * width);
  };
  svg.addEventListener("pointerdown", (event) => { start = at(event); svg.setPointerCapture(event.pointerId); paint(start, start); });
  svg.addEventListener("pointermove", (event) => { if (start >= 0) paint(start, at(event)); });
  svg.addEventListener("pointerup", (event) => {
    if (start < 0) return;
    const end = at(event);
    const [a, b] = [Math.min(start, end), Math.max(start, end)];
    start = -1;
    const query = new URLSearchParams(section.dataset.query);
    query.set("from", bars[a].dataset.since);
    query.set("to", bars[b].dataset.until);
    window.location.assign(`/entries/?${query}`);
  });
}
drawable();
