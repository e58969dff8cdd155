// A code from a wedge scanner, from fingers or from a camera: sent once, answered once, told in words.

export const LETTERS = /^[BCDFGHJKLNPRSTVX]+$/;

export const tidied = (text) => text.replace(/[\s\u2010\u2011-]/g, "").toUpperCase();

export const looksLikeCode = (text) => {
  const code = tidied(text);
  return LETTERS.test(code) && (code.length === 36 || code.length === 8);
};

const token = () => document.querySelector('meta[name="csrf-token"]').content;

// The same request number goes with every try, so that a lost reply cannot admit or check out twice.
export async function send(url, text, purpose) {
  const key = crypto.randomUUID();
  const body = new URLSearchParams({ csrf_token: token(), text, purpose, key });
  let failure = "The site cannot be reached.";
  for (const wait of [0, 400, 1200]) {
    if (wait) await new Promise((resolve) => { window.setTimeout(resolve, wait); });
    try {
      const response = await fetch(url, { method: "POST", body, headers: { "X-Fragment": "1", Accept: "application/json" } });
      if (response.ok) return await response.json();
      if (response.status < 500) {
        const problem = await response.json().catch(() => ({}));
        return { reason: problem.code || String(response.status), granted: false, visit: "", title: problem.title || "The code was not taken.", remedy: problem.remedy || "" };
      }
      failure = "The site could not answer.";
    } catch { /* the line broke: try again with the same number */ }
  }
  return { reason: "unreachable", granted: false, visit: "", title: failure, remedy: "Check the network, then scan again." };
}

export function tell(box, status, title, remedy, link) {
  const note = document.createElement("p");
  note.className = `note ${status}`;
  const strong = document.createElement("b");
  strong.textContent = title;
  note.append(strong, " ", remedy || "");
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.text;
    note.append(" ", anchor);
  }
  box.replaceChildren(note);
  box.hidden = false;
}

// What a scan on a page does: opens the visit, or says why not.
export async function openByCode(page, text) {
  const box = document.getElementById("scan-answer");
  const answer = await send(page.dataset.scanUrl, text, "open");
  if (answer.visit) {
    const current = page.dataset.visit;
    window.location.assign(page.dataset.visitUrl.replace(/-$/, answer.visit));
    if (current === answer.visit) window.location.reload();
    return;
  }
  tell(box, "refused", answer.title, answer.remedy);
}

const QUICK = 150; // ms between two keys of a scanner, slow wireless ones included; a hand is rarely that quick

// A wedge types quicker than any hand and ends with Enter: taken wherever the focus is, except in a field of text.
export function listenToWedge(onCode) {
  let letters = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=radio], [type=checkbox], [type=file]), textarea, select")) return;
    const quick = event.timeStamp - last < QUICK;
    last = event.timeStamp;
    if (event.key === "Enter") {
      const code = letters;
      letters = "";
      if (quick && looksLikeCode(code)) { event.preventDefault(); event.stopPropagation(); onCode(code); }
      return;
    }
    if (event.key.length !== 1) return;
    letters = quick ? letters + event.key : event.key;
    // From the second quick letter of a code on this is a machine, not somebody pressing a shortcut.
    if (letters.length > 1 && LETTERS.test(letters.toUpperCase())) event.stopImmediatePropagation();
  }, { capture: true });
}
