// The findings board follows what happens; what is under the cursor or has the focus is not moved away.
import { listen } from "../live.js";

const board = document.querySelector("[data-board]");
let timer = 0;

async function refresh() {
  if (board.contains(document.activeElement) || board.matches(":hover")) { timer = window.setTimeout(refresh, 2_000); return; }
  const response = await fetch(window.location.href, { headers: { "X-Fragment": "1" } });
  if (response.ok && !response.redirected) board.innerHTML = await response.text();
}

if (board) {
  listen("cleandesk", () => { window.clearTimeout(timer); timer = window.setTimeout(refresh, 400); });
}
