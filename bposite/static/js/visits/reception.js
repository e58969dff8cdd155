// The reception's board: live, but it never moves under the pointer; scans open a card from anywhere.
import { listen } from "../live.js";
import { listenToWedge, looksLikeCode, openByCode } from "./code.js";

const board = document.getElementById("board");
const news = document.querySelector("[data-board-news]");
const search = document.querySelector("[data-board-search]");
let changes = 0;
let loading = null;

async function refresh() {
  loading?.abort();
  loading = new AbortController();
  const query = search.value.trim();
  const url = query ? `?q=${encodeURIComponent(query)}` : window.location.pathname;
  try {
    const response = await fetch(url, { headers: { "X-Fragment": "1" }, signal: loading.signal });
    if (!response.ok) return;
    const html = await response.text();
    const kept = document.activeElement?.closest("[data-visit]")?.dataset.visit;
    board.innerHTML = html;
    if (kept) board.querySelector(`[data-visit="${CSS.escape(kept)}"] .whole`)?.focus();
    changes = 0;
    news.hidden = true;
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

const busy = () => board.matches(":hover") || board.contains(document.activeElement);

let soon = 0;
listen("visits", (topic) => {
  changes += 1;
  window.clearTimeout(soon);
  soon = window.setTimeout(() => {
    if (topic === "resync" || !busy()) { refresh(); return; }
    news.textContent = changes === 1 ? "1 change: show it" : `${changes} changes: show them`;
    news.hidden = false;
  }, 250);
});
news.addEventListener("click", refresh);

let typing = 0;
search.addEventListener("input", () => {
  window.clearTimeout(typing);
  typing = window.setTimeout(() => {
    const query = search.value.trim();
    window.history.replaceState(null, "", query ? `?q=${encodeURIComponent(query)}` : window.location.pathname);
    refresh();
  }, 180);
});
search.form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (looksLikeCode(search.value)) { openByCode(board, search.value); search.value = ""; return; }
  const found = board.querySelectorAll(".visit-card .whole");
  if (found.length === 1) found[0].click(); else refresh();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const cards = [...board.querySelectorAll(".visit-card .whole")];
  if (!cards.length) return;
  const here = cards.indexOf(document.activeElement);
  const next = cards[Math.min(cards.length - 1, Math.max(0, here + step))];
  if (here === -1 && event.key.startsWith("Arrow")) return;
  event.preventDefault();
  next.focus();
});

listenToWedge((code) => openByCode(board, code));
