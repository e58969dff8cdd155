// Watches a verification while it runs: asks for the list again every second until none is open.
const list = document.getElementById("verifications");
const isOpen = () => list?.querySelector("[data-open='1']");

async function refresh() {
  try {
    const answer = await fetch(list.dataset.address, { headers: { "X-Fragment": "1" } });
    if (answer.ok) list.innerHTML = await answer.text();
  } catch { /* the server is away: the next try tells */ }
  if (isOpen()) window.setTimeout(refresh, 1000);
}
if (isOpen()) window.setTimeout(refresh, 1000);
