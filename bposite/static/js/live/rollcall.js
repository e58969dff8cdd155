// The roll call on a phone that may lose its line: a mark is shown at once, kept on the phone, and sent until the server
// has it. Marks of other phones come in by the stream and by asking every few seconds; nobody's mark is overwritten here
// while one of our own still waits.
import { listen } from "../live.js";

const roll = document.getElementById("roll");
const call = roll.dataset.call;
const KEY = `rollcall:${call}`;
const token = document.querySelector('meta[name="csrf-token"]').content;
const offline = document.querySelector("[data-offline]");
let sending = false;
let wanted = false;

function load() {
  try { return JSON.parse(window.localStorage.getItem(KEY)) ?? []; } catch { return []; }
}
let queue = load();
function keep() {
  try { window.localStorage.setItem(KEY, JSON.stringify(queue)); } catch { /* private mode: the open page still holds them */ }
}

function tell(connected) {
  offline.hidden = connected && queue.length === 0;
  offline.querySelector("[data-waiting]").textContent = String(queue.length);
}

function paint(row, state, words) {
  row.dataset.state = state;
  for (const button of row.querySelectorAll("button[name=state]")) button.setAttribute("aria-pressed", String(button.value === state));
  if (words !== undefined) row.querySelector("[data-by]").textContent = words;
}

function count() {
  const rows = [...roll.querySelectorAll("[data-member]")];
  for (const node of roll.querySelectorAll("[data-count]")) {
    node.textContent = String(rows.filter((row) => row.dataset.state === node.dataset.count).length);
  }
}

// Our own waiting marks, painted over whatever the server said last.
function repaint() {
  for (const row of roll.querySelectorAll("[data-waiting]")) row.removeAttribute("data-waiting");
  for (const mark of queue) {
    const row = document.getElementById(`m-${mark.member}`);
    if (!row) continue;
    paint(row, mark.state, mark.state === "unknown" ? "taken back" : mark.state);
    row.dataset.waiting = "1";
  }
  count();
}

roll.addEventListener("submit", (event) => {
  const button = event.submitter;
  const row = event.target.closest("[data-member]");
  if (!button || !row) return;
  event.preventDefault();
  event.stopPropagation();
  const state = row.dataset.state === button.value ? "unknown" : button.value;
  queue.push({ id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`, member: row.dataset.member, state, at: new Date().toISOString() });
  keep();
  repaint();
  send();
}, true);

async function send() {
  if (sending || queue.length === 0) return;
  sending = true;
  const batch = queue.slice(0, 200);
  try {
    const answer = await fetch(`/rollcall/${call}/marks`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token, Accept: "application/json" },
      body: JSON.stringify(batch),
    });
    if (answer.ok) {
      const { ids } = await answer.json();
      queue = queue.filter((mark) => !ids.includes(mark.id));
      keep();
      tell(true);
      repaint();
      renew();
    } else {
      tell(false);
    }
  } catch {
    tell(false);
  }
  sending = false;
}

async function renew() {
  if (wanted) return;
  wanted = true;
  try {
    const answer = await fetch(`/rollcall/${call}`, { headers: { "X-Fragment": "1" } });
    if (answer.ok) {
      const html = await answer.text();
      const held = document.activeElement?.closest("[data-member]")?.dataset.member;
      const value = document.activeElement?.value;
      roll.innerHTML = html;
      repaint();
      tell(true);
      if (held) document.querySelector(`#m-${CSS.escape(held)} button[value="${CSS.escape(value ?? "")}"]`)?.focus({ preventScroll: true });
    }
  } catch {
    tell(false);
  }
  wanted = false;
}

document.querySelector("[data-print]").addEventListener("click", () => window.print());
window.addEventListener("online", () => { send(); renew(); });
window.addEventListener("offline", () => tell(false));
repaint();
tell(navigator.onLine);
send();
if (roll.dataset.open === "1") {
  listen("rollcall", () => renew());
  window.setInterval(() => { send(); }, 3_000);
  window.setInterval(() => { if (!document.hidden) renew(); }, 10_000);
}
