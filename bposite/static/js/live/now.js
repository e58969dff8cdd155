// Site now: the part is fetched again at most once a second when the journal says that something happened. Boxes keep
// their sizes, a form somebody is about to press is not pulled away, and the mark says honestly whether it is live.
import { listen } from "../live.js";

const part = document.getElementById("now");
const EVERY = 1000;
let wanted = false;
let running = false;

const held = () => part.querySelector("form:hover, form:focus-within") !== null;

async function renew() {
  running = true;
  wanted = false;
  try {
    const answer = await fetch(window.location.pathname, { headers: { "X-Fragment": "1" } });
    if (answer.ok && !held()) swap(await answer.text());
  } catch { /* the mark says that the line is gone; the page stays as it was */ }
  window.setTimeout(() => { running = false; if (wanted) renew(); }, EVERY);
}

function swap(html) {
  const seen = new Set([...part.querySelectorAll("[data-position]")].map((node) => node.dataset.position));
  const focus = document.activeElement?.closest("#now a")?.getAttribute("href");
  const next = new DOMParser().parseFromString(html, "text/html").body;
  // Pictures that are on the page already are moved over: nothing flickers, and no look is recorded twice.
  const shown = [...part.querySelectorAll("img")];
  for (const image of next.querySelectorAll("img")) {
    const at = shown.findIndex((old) => old.getAttribute("src") === image.getAttribute("src"));
    if (at >= 0) image.replaceWith(...shown.splice(at, 1));
  }
  part.replaceChildren(...next.childNodes);
  if (seen.size) {
    for (const row of part.querySelectorAll("[data-position]")) {
      if (!seen.has(row.dataset.position)) row.classList.add("now-new");
    }
  }
  if (focus) part.querySelector(`a[href="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}

const ask = () => { wanted = true; if (!running) renew(); };
const topics = part.dataset.topics.match(/[a-z]+/g) ?? [];
if (topics.length) listen(topics, ask);
window.setInterval(ask, 15_000); // lamps and relative states change without a fact

const clock = document.querySelector("[data-clock]");
if (clock) {
  const tell = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: clock.dataset.zone });
  window.setInterval(() => { clock.textContent = tell.format(new Date()); }, 500);
}
