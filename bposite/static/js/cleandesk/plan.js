// Planning a round: the size that a claim needs is worked out as zones, kinds and shift are chosen.
const form = document.querySelector("[data-plan-round]");

if (form) {
  const place = form.querySelector("[data-size]");
  const size = form.querySelector("[name=size]");
  const random = form.querySelector("[data-random]");
  const targeted = form.querySelector("[data-targeted]");
  let own = size.value !== "";
  let suggested = place.querySelector("[data-suggested]")?.dataset.suggested;
  let asked = 0;

  size.addEventListener("input", () => { own = true; });

  async function work() {
    const mine = (asked += 1);
    const chosen = new URLSearchParams(new FormData(form));
    chosen.delete("csrf_token");
    const response = await fetch(`${form.dataset.sizeUrl}?${chosen}`, { headers: { "X-Fragment": "1" } });
    if (!response.ok || mine !== asked) return;
    place.innerHTML = await response.text();
    const found = place.querySelector("[data-suggested]")?.dataset.suggested;
    if (found && (!own || size.value === suggested)) { size.value = found; own = false; }
    suggested = found;
  }

  function shape() {
    const chosen = form.querySelector("[name=purpose]:checked")?.value === "targeted";
    random.hidden = chosen;
    targeted.hidden = !chosen;
    if (chosen) targeted.open = true;
  }

  form.addEventListener("change", (event) => {
    if (["zones", "kinds", "shift"].includes(event.target.name)) work();
    if (event.target.name === "purpose") shape();
  });
  shape();
}

for (const one of document.querySelectorAll("[data-submit-on-change]")) {
  one.querySelector("button[type=submit]").hidden = true;
  one.addEventListener("change", () => one.requestSubmit());
}
