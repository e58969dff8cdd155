// The live stream for pages: one EventSource, resumed where it broke, that says honestly whether it is live.
//
//   import { listen } from "./live.js";
//   const stop = listen("entries,alarms", (topic, data, id) => { ... });
//
// `topic` is one of those asked for, or "resync": too much was missed, fetch the page's parts again.
// An element with data-live-mark (templates/live/mark.html) shows the state of the connection.

const SILENCE = 40_000; // the server speaks every 15 s; longer silence is a dead line, whatever the browser believes
const HIDDEN = 60_000; // a page that nobody sees gives its place back
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

const WORDS = {
  connecting: ["unknown", "Connecting"],
  live: ["good", "Live"],
  lost: ["attention", "Reconnecting"],
  busy: ["attention", "Not live: too many pages open"],
  ended: ["alarm", "Signed out"],
};

function mark(state) {
  for (const node of document.querySelectorAll("[data-live-mark]")) {
    const [status, word] = WORDS[state];
    node.dataset.status = status;
    node.dataset.live = state;
    const text = node.querySelector("[data-live-word]");
    if (text && text.textContent !== word) text.textContent = word;
  }
}

export function listen(topics, onEvent) {
  const names = Array.isArray(topics) ? topics : String(topics).split(",");
  let source = null;
  let last = null;
  let wait = FIRST_WAIT;
  let heard = 0;
  let timer = 0;
  let hiding = 0;
  let over = false;

  const beat = () => { heard = Date.now(); wait = FIRST_WAIT; mark("live"); };

  function told(event) {
    beat();
    if (event.lastEventId) last = event.lastEventId;
    if (event.type === "beat") return;
    let data = {};
    try { data = JSON.parse(event.data); } catch { return; }
    onEvent(event.type, data, Number(event.lastEventId) || null);
  }

  function open() {
    window.clearTimeout(timer);
    source?.close();
    const after = last === null ? "" : `&after=${encodeURIComponent(last)}`;
    source = new EventSource(`/live/stream?topics=${encodeURIComponent(names.join(","))}${after}`);
    heard = Date.now();
    for (const name of [...names, "resync", "beat"]) source.addEventListener(name, told);
    source.addEventListener("end", () => { over = true; source.close(); mark("ended"); });
    source.onerror = () => {
      if (over) return;
      mark("lost");
      // A broken line is tried again by the browser; an answer such as 503 is not, so we do.
      if (source.readyState === EventSource.CLOSED) again();
    };
  }

  function again() {
    window.clearTimeout(timer);
    timer = window.setTimeout(open, wait * (0.7 + Math.random() * 0.6));
    if (wait >= 8 * FIRST_WAIT) mark("busy");
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  const watch = window.setInterval(() => {
    if (over || hiding || document.hidden) return;
    if (Date.now() - heard > SILENCE) { mark("lost"); open(); }
  }, 5_000);

  function seen() {
    window.clearTimeout(hiding);
    hiding = 0;
    if (over) return;
    if (document.hidden) {
      hiding = window.setTimeout(() => { source?.close(); source = null; }, HIDDEN);
    } else if (source === null || source.readyState === EventSource.CLOSED) {
      mark("connecting");
      open();
    }
  }

  function stop() {
    over = true;
    window.clearTimeout(timer);
    window.clearTimeout(hiding);
    window.clearInterval(watch);
    document.removeEventListener("visibilitychange", seen);
    source?.close();
  }

  document.addEventListener("visibilitychange", seen);
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted && !over) open(); });
  mark("connecting");
  open();
  return stop;
}
