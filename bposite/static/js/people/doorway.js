// Signing in: show a password, go on after the sixth digit, copy and print. Every page works without this.

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  input.dataset.revealed = "";
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.firstChild.data = shown ? "Show" : "Hide";
    button.setAttribute("aria-pressed", String(!shown));
    input.focus();
  });
}

for (const input of document.querySelectorAll("input.code[data-go]")) {
  let sent = false;
  input.addEventListener("input", () => {
    if (sent || !/^[0-9]{6}$/.test(input.value.replaceAll(" ", ""))) return;
    sent = true;
    input.form.requestSubmit();
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const input = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(input.value);
    button.textContent = "Copied";
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
