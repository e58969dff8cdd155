// The walk: one place after the other, one hand, with or without a network. What is tapped is on the disk before the
// screen moves on; the queue brings it to the site whenever it can.
import { SEVERITY, badge, h, icon, svg, useIcons } from "./dom.js";
import { Queue, ask } from "./queue.js";
import { emptyDraft, failOf, failSheet, listSheet, lookOf, sheet, unseenSheet } from "./sheets.js";
import { draftOf, dropDraft, dropLook, forgetRound, keepDraft, keepLook, keepRound, keptRound, looksOf } from "./store.js";

const GRACE = 2_500; // a pass can be taken back for so long before it is sent
const TOAST = 6_000;

const root = document.getElementById("walk");
const config = { ...root.dataset };
useIcons(config.icons);

const state = { data: null, stops: [], current: null, seq: 0, refused: [] };
const ui = {};
let queue = null;
let toastTimer = 0;

const OUTCOME = { pass: ["good", "Pass"], fail: ["refused", "Fail"], not_observed: ["unknown", "Not seen"], not_applicable: ["unknown", "Does not apply"] };

async function load() {
  let data = null;
  try {
    data = await ask(config.data);
  } catch {
    data = await keptRound(config.round);
  }
  if (data) await keepRound(data);
  return data;
}

// The server's view with what waits on this phone laid over it.
async function merge(data) {
  const rows = await looksOf(config.round);
  state.data = data;
  state.stops = data.stops.map((stop) => ({ ...stop }));
  state.seq = rows.reduce((most, row) => Math.max(most, row.seq), 0);
  state.refused = rows.filter((row) => row.state === "refused");
  for (const row of rows) if (row.state !== "refused") apply(row);
}

function apply(row) {
  const stop = state.stops.find((one) => one.place === row.look.place);
  if (!stop) return;
  stop.seen = { id: row.look.id, answer: row.look.answer, items: (row.look.items || []).map((item) => item.item) };
  if (row.look.answer === "not_observed" && row.look.seat === "first") replace(stop);
}

// The next of the drawn order takes the place of one that could not be reached: the same rule as the site's.
function replace(stop) {
  if (state.stops.some((one) => one.replaces === stop.place)) return;
  const used = new Set(state.stops.map((one) => one.place));
  const next = state.data.reserves.filter((one) => one.stratum === stop.stratum && !used.has(one.place)).sort((a, b) => a.rank - b.rank)[0];
  if (next) state.stops.push({ ...next, replaces: stop.place, ordinal: state.stops.length + 1 });
}

const left = () => state.stops.filter((stop) => !stop.seen);

// --- the screen -------------------------------------------------------------------------------------------------------

function build() {
  ui.progress = h("progress", { max: 1, value: 0, "aria-label": "Places seen" });
  ui.count = h("span", { class: "nowrap" });
  ui.link = h("button", { type: "button", class: "badge walk-link", "data-walk-link": "", onclick: () => queue?.soon(0) });
  ui.place = h("h1", { class: "walk-place", tabindex: "-1" });
  ui.where = h("p", { class: "walk-where" });
  ui.seen = h("p", { class: "note", hidden: true });
  ui.next = h("p", { class: "quiet small" });
  ui.look = h("ul", { class: "bullets" });
  ui.checks = h("details", { class: "walk-checks" }, h("summary", {}, "What to look for"), ui.look);
  ui.map = h("div", { class: "walk-map", "aria-hidden": "true" });
  ui.pass = h("button", { type: "button", class: "button primary walk-pass", "data-key": "p", onclick: pass }, icon("check"), "Pass");
  ui.fail = h("button", { type: "button", class: "button walk-half", "data-key": "f", onclick: () => openFail(state.current) }, icon("triangle-alert"), "Fail");
  ui.unseen = h("button", { type: "button", class: "button walk-half", "data-key": "n", onclick: () => unseenSheet(state.current, state.data.reasons, unseen) }, icon("eye-off"), "Not seen");
  ui.desk = h("div", { class: "walk-desk" }, ui.place, ui.where, ui.seen, ui.next, ui.checks, ui.map);
  ui.done = h("div", { class: "walk-desk", hidden: true });
  ui.bar = h("div", { class: "walk-bar" }, ui.pass, h("div", { class: "walk-pair" }, ui.fail, ui.unseen));
  ui.toast = h("div", { class: "walk-toast", role: "status", hidden: true });
  ui.notice = h("div", { class: "walk-notice", role: "alert", hidden: true });
  const head = h("header", { class: "walk-head" },
    h("div", { class: "line apart" },
      h("a", { class: "button plain small", href: config.after, "aria-label": "Leave the walk" }, icon("chevron-left"), "Round ", String(state.data.round.number)),
      ui.link,
      h("button", { type: "button", class: "button plain small", "data-key": "l", onclick: openList }, icon("list"), ui.count)),
    ui.progress, ui.notice);
  root.replaceChildren(head, ui.desk, ui.done, ui.toast, ui.bar);
  root.hidden = false;
  document.getElementById("walk-plain").remove();
}

function render() {
  const open = left();
  const seen = state.stops.length - open.length;
  ui.progress.max = state.stops.length || 1;
  ui.progress.value = seen;
  ui.count.textContent = `${seen} of ${state.stops.length}`;
  const finished = !state.current;
  ui.desk.hidden = ui.bar.hidden = finished;
  ui.done.hidden = !finished;
  if (finished) renderDone(open.length);
  else renderDesk(open);
}

function renderDesk(open) {
  const stop = state.current;
  ui.place.textContent = stop.label;
  const parts = [state.data.zones[stop.zone] || stop.zone, stop.team && !stop.vacant ? stop.team : "", stop.vacant ? "nobody sits there, look all the same" : "", stop.replaces ? `instead of ${stop.replaces}` : ""];
  ui.where.textContent = parts.filter(Boolean).join(" · ");
  ui.seen.hidden = !stop.seen;
  if (stop.seen) ui.seen.textContent = `Seen already: ${OUTCOME[stop.seen.answer][1].toLowerCase()}. A new answer corrects it.`;
  const following = open.filter((one) => one !== stop).slice(0, 2).map((one) => one.label);
  ui.next.textContent = following.length ? `Then ${following.join(", ")}` : "The last place";
  ui.look.replaceChildren(...(state.data.checklists[stop.list] || []).map((item) => h("li", {}, item.pass_when)));
  ui.map.replaceChildren(map());
}

function renderDone(missing) {
  const results = state.stops.map((stop) => stop.seen?.answer).filter(Boolean);
  const lines = Object.entries(OUTCOME).map(([key, words]) => [words, results.filter((answer) => answer === key).length]).filter(([, count]) => count);
  const first = state.data.round.seat === "first";
  ui.submit = h("button", { type: "button", class: "button primary walk-pass", onclick: () => submit(missing) }, missing ? `Submit with ${missing} not seen` : "Submit the round");
  ui.done.replaceChildren(
    h("h1", {}, missing ? `${missing} places are left` : "All places are seen"),
    h("ul", { class: "walk-sum" }, ...lines.map(([words, count]) => h("li", {}, badge(...words), h("b", {}, String(count))))),
    first ? h("p", { class: "quiet" }, "Another person reviews the round. After that nothing can be changed.") : h("p", { class: "quiet" }, "Thank you. The first auditor submits the round."),
    first ? ui.submit : null,
    h("button", { type: "button", class: "button wide", onclick: openList }, "Look through the list"));
}

// A small picture of where to go: done places faint, the next one marked.
function map() {
  const placed = state.stops.filter((stop) => stop.x !== null && stop.zone === state.current.zone);
  if (placed.length < 2) return "";
  const xs = placed.map((stop) => stop.x);
  const ys = placed.map((stop) => stop.y);
  const [x, y] = [Math.min(...xs) - 1, Math.min(...ys) - 1];
  const box = `${x} ${y} ${Math.max(...xs) - x + 2.4} ${Math.max(...ys) - y + 2}`;
  const dots = placed.map((stop) => svg("rect", { x: stop.x, y: stop.y, width: 1.3, height: 0.9, rx: 0.15, class: stop === state.current ? "here" : stop.seen ? "seen" : "open" }));
  return svg("svg", { viewBox: box }, dots);
}

// --- what is tapped ---------------------------------------------------------------------------------------------------

async function record(look, photos = [], delay = GRACE) {
  const row = { id: look.id, round: config.round, user: state.data.round.user, seq: (state.seq += 1), look, photos, state: "waiting" };
  await keepLook(row);
  apply(row);
  await queue.tell();
  queue.soon(delay);
}

async function pass() {
  const stop = state.current;
  const look = lookOf(stop, state.data.round.seat, "pass");
  const before = stop.seen;
  await record(look);
  navigator.vibrate?.(15);
  advance();
  toast(`${stop.label} passed`, async () => {
    const row = (await looksOf(config.round)).find((one) => one.id === look.id);
    // Not sent yet: it never happened. Sent: the next answer corrects it.
    if (row?.state === "waiting") { await dropLook(look.id); stop.seen = before; await queue.tell(); }
    go(stop);
  });
}

async function openFail(stop, given = null) {
  const draft = given || emptyDraft(stop.place);
  const items = state.data.checklists[stop.list] || [];
  const panel = failSheet(stop, items, state.data.areas, draft, (one) => keepDraft(config.round, one), async (one) => {
    const { look, photos } = failOf(stop, state.data.round.seat, one);
    await record(look, photos, 0);
    await dropDraft(config.round);
    const critical = items.filter((item) => one.items[item.id] && item.severity === "S1" && !one.items[item.id].secured);
    advance();
    if (critical.length) secure(critical);
    else toast(`${stop.label}: ${look.items.length === 1 ? "1 fault" : `${look.items.length} faults`} noted`);
  });
  panel.node.addEventListener("closed", () => dropDraft(config.round));
}

function secure(items) {
  const { close } = sheet("Secure at once",
    h("div", { class: "walk-scroll" }, ...items.map((item) => h("p", { class: "note alarm" }, h("strong", {}, `${item.fault}. `), `${item.on_the_spot[0].toUpperCase()}${item.on_the_spot.slice(1)}.`)),
      h("p", {}, "The control room is told as soon as this phone has a network. Without one, call them now.")),
    h("div", { class: "walk-actions" }, h("button", { type: "button", class: "button primary big wide", onclick: () => close() }, "Done, go on")));
}

async function unseen(reason) {
  const stop = state.current;
  await record(lookOf(stop, state.data.round.seat, reason ? "not_observed" : "not_applicable", reason ? { reason } : {}));
  const other = state.stops.find((one) => one.replaces === stop.place);
  advance();
  toast(other && reason ? `${stop.label} not seen: ${other.label} takes its place` : `${stop.label} noted`);
}

async function submit(missing) {
  if (missing && !window.confirm(`${missing} places are recorded as not seen. Submit?`)) return;
  ui.submit.disabled = true;
  try {
    await queue.run();
    const waiting = (await looksOf(config.round)).filter((row) => row.state === "waiting").length;
    if (waiting) throw new Error(`${waiting} looks are still on this phone. They are sent as soon as there is a network; then submit again.`);
    const token = await queue.token();
    await ask(config.submit, { method: "POST", headers: { "X-CSRFToken": token } });
    await forgetRound(config.round);
    navigator.serviceWorker?.controller?.postMessage({ type: "forget", page: window.location.pathname });
    window.location.assign(config.after);
  } catch (error) {
    const known = error.message && !["later", "Failed to fetch"].includes(error.message) && error.name === "Error";
    notice(known ? error.message : "The round could not be submitted: no network, or you are signed out. Nothing is lost; try again.");
    ui.submit.disabled = false;
  }
}

function advance() {
  const open = left();
  state.current = open[0] || null;
  render();
}

function go(stop) {
  hideToast();
  state.current = stop;
  render();
  ui.place.focus();
}

function openList() {
  const refused = new Map(state.refused.map((row) => [row.look.place, row.error]));
  listSheet(state.stops, (stop) => {
    if (refused.has(stop.place)) return badge("alarm", "Not accepted");
    return stop.seen ? badge(...OUTCOME[stop.seen.answer]) : h("span", { class: "quiet small" }, "open");
  }, go);
}

// --- messages ---------------------------------------------------------------------------------------------------------

function toast(words, undo = null) {
  window.clearTimeout(toastTimer);
  ui.toast.replaceChildren(h("span", {}, words), ...(undo ? [h("button", { type: "button", class: "button small", onclick: undo }, "Undo")] : []));
  ui.toast.hidden = false;
  toastTimer = window.setTimeout(hideToast, TOAST);
}

function hideToast() { ui.toast.hidden = true; }

function notice(words, ...more) {
  ui.notice.replaceChildren(h("p", { class: "note attention" }, words, ...more));
  ui.notice.hidden = false;
}

function linked({ state: kind, waiting, refused, online }) {
  const looks = waiting === 1 ? "1 look" : `${waiting} looks`;
  const says = {
    sent: ["good", "All sent"],
    sending: ["unknown", `Sending ${waiting}`],
    waiting: ["attention", online ? `${waiting} waiting` : `Offline, ${waiting} waiting`],
    "signed-out": ["alarm", "Sign in to send"],
    "other-user": ["alarm", "Not your sign-in"],
  };
  const [status, words] = !online && !waiting ? ["attention", "Offline"] : says[kind] || says.waiting;
  ui.link.dataset.status = status;
  ui.link.dataset.waiting = waiting;
  ui.link.replaceChildren(icon(status === "good" ? "check" : status === "alarm" ? "siren" : online ? "upload" : "wifi-off"), words);
  if (kind === "signed-out") notice(`You are signed out. ${looks} stay on this phone until you sign in again. `, h("a", { href: `/sign-in?next=${encodeURIComponent(window.location.pathname)}` }, "Sign in"));
  else if (kind === "other-user") notice(`These ${waiting} looks belong to another account. Sign in as that person to send them.`);
  else if (refused) notice(`${refused === 1 ? "1 look was" : `${refused} looks were`} not accepted: `, state.refused[0]?.error || "", " ", h("button", { type: "button", class: "button small", onclick: settleRefused }, "Look again"));
  else ui.notice.hidden = true;
}

// What the site did not accept: the place is open again, and the look is dropped only now, by hand.
async function settleRefused() {
  const [row] = (await looksOf(config.round)).filter((one) => one.state === "refused");
  if (!row) return;
  await dropLook(row.id);
  await refresh();
  const stop = state.stops.find((one) => one.place === row.look.place);
  if (stop) go(stop);
  await queue.tell();
}

async function refresh() {
  const current = state.current?.place;
  const data = await load();
  if (data) await merge(data);
  state.current = state.stops.find((stop) => stop.place === current && !stop.seen) || left()[0] || null;
  render();
}

async function answered(row, answer) {
  if (!answer) { state.refused.push({ ...row, error: "" }); await refresh(); return; }
  const stop = state.stops.find((one) => one.place === row.look.place);
  if (answer.replacement && stop && !state.stops.some((one) => one.replaces === stop.place && one.place === answer.replacement)) await refresh();
  const critical = answer.findings.filter((finding) => finding.severity === "S1" && SEVERITY.S1);
  if (critical.length) toast(`Finding ${critical.map((finding) => finding.number).join(", ")}: the control room is told`);
}

// --- start ------------------------------------------------------------------------------------------------------------

async function keepOffline() {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(config.worker, { scope: config.scope });
    const ready = await navigator.serviceWorker.ready;
    const files = [...performance.getEntriesByType("resource").map((entry) => entry.name), ...[...document.querySelectorAll("link[href], script[src]")].map((node) => node.href || node.src)];
    ready.active.postMessage({ type: "keep", page: window.location.pathname, data: config.data, files: [...new Set(files)].filter((name) => name.includes("/static/")) });
    await navigator.storage?.persist?.();
  } catch {
    notice("This browser cannot keep the page for use without a network. Stay online, or use the plain form.");
  }
}

// The sticker on a desk, or the address, may name the place to begin with.
function wanted() {
  const tag = window.location.pathname.match(/\/walk\/t\/([A-Za-z0-9]+)$/)?.[1]?.toUpperCase();
  const place = new URLSearchParams(window.location.search).get("place") || config.place;
  return state.stops.find((stop) => (tag && stop.tag === tag) || (place && stop.place === place));
}

async function start() {
  const data = await load();
  if (!data) return; // neither a network nor a copy: the plain page stays
  await merge(data);
  build();
  queue = new Queue(config.round, data.round.user, config, linked, answered);
  state.current = wanted() || left()[0] || null;
  render();
  await queue.tell();
  queue.soon(0);
  const draft = await draftOf(config.round);
  const stop = draft && state.stops.find((one) => one.place === draft.place);
  if (stop) { state.current = stop; render(); openFail(stop, draft); }
  root.dataset.ready = "1";
  await keepOffline();
  root.dataset.kept = "1";
}

start();
