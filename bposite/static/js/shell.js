// What every page shares: keys, progress on forms, and dialogs that name what they do.

const editable = (node) => node.closest("input, textarea, select, [contenteditable]") !== null;

function showKeys() {
  const dialog = document.getElementById("keys");
  if (dialog && !dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && editable(event.target)) event.target.blur();
  if (editable(event.target)) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]") || document.getElementById("site-search");
    if (search) { search.focus(); search.select(); event.preventDefault(); }
    return;
  }
  if (event.key === "?") { showKeys(); event.preventDefault(); return; }
  // A page declares its keys on the links and buttons themselves: <a data-key="n">.
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target) { event.preventDefault(); target.focus(); target.click(); }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-show-keys]")) showKeys();
  const open = document.querySelector("details.menu[open]");
  if (open && !open.contains(event.target)) open.open = false;
});

// A form that was sent says so, and cannot be sent twice by an impatient hand.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  const ask = event.submitter?.dataset.confirm;
  if (ask && !window.confirm(ask)) { event.preventDefault(); return; }
  if (form.dataset.sent === "1") { event.preventDefault(); return; }
  if (form.method === "post") {
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
    window.setTimeout(() => { delete form.dataset.sent; form.removeAttribute("aria-busy"); }, 8000);
  }
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
