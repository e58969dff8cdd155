// Keeps a part of a page fresh: fetched again when the journal told of something that concerns it, at most once a second.

import { listen } from "../live.js";

const LEAST = 1_000;

function keep(node) {
  const address = node.dataset.board;
  let last = 0;
  let timer = 0;
  let busy = false;
  let again = false;

  // Nobody's hands are tied: a form that is being filled in or an open menu is not replaced under them.
  const occupied = () => node.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, button, summary");

  async function fetchPart() {
    if (busy) { again = true; return; }
    if (occupied() || document.hidden) { later(); return; }
    busy = true;
    last = Date.now();
    try {
      const answer = await fetch(address, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
      if (answer.ok) node.innerHTML = await answer.text();
    } catch { /* the live mark says that the line is lost */ }
    busy = false;
    if (again) { again = false; later(); }
  }

  function later() {
    if (timer) return;
    timer = window.setTimeout(() => { timer = 0; fetchPart(); }, Math.max(LEAST - (Date.now() - last), 50));
  }

  listen(node.dataset.topics, later);
  const every = Number(node.dataset.every || 0);
  if (every) window.setInterval(later, every * 1_000);
}

for (const node of document.querySelectorAll("[data-board]")) keep(node);
