// The scanner's page: a field that keeps the focus for a wedge, and the camera read by ZXing on this computer.
import { send, tell, tidied } from "./code.js";

const page = document.querySelector(".scanner");
const form = document.querySelector("[data-scan-form]");
const field = form.elements.text;
const box = document.getElementById("scan-answer");
const done = document.querySelector("[data-scan-done]");
const checkOut = page.dataset.purpose === "check_out";
const AGAIN_AFTER = 4000; // a pass that stays before the camera is one scan, not twenty

let sending = false;
let lastCode = "";
let lastAt = 0;

async function take(text) {
  if (sending) return;
  sending = true;
  const answer = await send(page.dataset.scanUrl, text, page.dataset.purpose);
  sending = false;
  field.value = "";
  if (answer.visit && !checkOut) {
    stop();
    window.location.assign(page.dataset.visitUrl.replace(/-$/, answer.visit));
    return;
  }
  const link = answer.visit ? { href: page.dataset.visitUrl.replace(/-$/, answer.visit), text: `Open the visit of ${answer.name}` } : null;
  if (answer.did === "departed") {
    tell(box, "good", `${answer.name} is checked out.`, "", link);
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    name.textContent = answer.name;
    name.className = "grow";
    const time = document.createElement("span");
    time.className = "quiet small";
    time.textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    item.append(name, time);
    done.prepend(item);
  } else if (checkOut && answer.visit) {
    tell(box, "attention", `${answer.name} is not inside: ${answer.state.replaceAll("_", " ")}.`, "", link);
  } else {
    tell(box, "refused", answer.title, answer.remedy, link);
  }
  field.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  if (field.value.trim()) take(field.value);
}, { capture: true });

// Camera
const camera = document.querySelector("[data-scan-camera]");
const video = camera.querySelector("[data-scan-video]");
const state = camera.querySelector("[data-scan-state]");
const start = camera.querySelector("[data-scan-start]");
const choice = camera.querySelector("[data-scan-choice]");
const finder = camera.querySelector(".finder");
const sheet = document.createElement("canvas");
let stream = null;
let reader = null;

const off = "The camera is off.";
const say = (text) => { if (state.textContent !== text) state.textContent = text; };

async function readerReady() {
  if (reader) return reader;
  const zxing = await import(page.dataset.reader);
  zxing.prepareZXingModule({ overrides: { locateFile: (name, prefix) => (name.endsWith(".wasm") ? page.dataset.wasm : prefix + name) } });
  reader = (image) => zxing.readBarcodes(image, { formats: ["QRCode"], maxNumberOfSymbols: 1, tryHarder: true });
  return reader;
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.srcObject = null;
  finder.classList.remove("live");
  start.lastChild.textContent = " Use the camera";
  say(off);
}

async function offerCameras() {
  const found = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
  choice.hidden = found.length < 2;
  choice.replaceChildren(...found.map((device, index) => new Option(device.label || `Camera ${index + 1}`, device.deviceId)));
  choice.value = stream?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
}

async function open() {
  say("Starting the camera…");
  const wanted = choice.value ? { deviceId: { exact: choice.value } } : { facingMode: "environment" };
  try {
    const [read, opened] = await Promise.all([readerReady(), navigator.mediaDevices.getUserMedia({ video: { ...wanted, width: { ideal: 1280 }, height: { ideal: 960 } } })]);
    stream = opened;
    video.srcObject = stream;
    await video.play();
    finder.classList.add("live");
    start.lastChild.textContent = " Stop the camera";
    say("Hold the pass into the frame.");
    await offerCameras();
    look(read);
  } catch (error) {
    stop();
    say(error.name === "NotAllowedError" ? "The browser may not use the camera. Allow it in the address bar." : "No camera could be used. Type the code, or use a scanner.");
  }
}

async function look(read) {
  while (stream) {
    const began = performance.now();
    if (video.videoWidth && !sending) {
      // The middle of the picture at no more than 960 points: enough for 25 modules, and quick on any computer.
      const side = Math.min(video.videoWidth, video.videoHeight);
      const size = Math.min(side, 960);
      sheet.width = size;
      sheet.height = size;
      const context = sheet.getContext("2d", { willReadFrequently: true });
      context.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, size, size);
      const [found] = await read(context.getImageData(0, 0, size, size));
      if (found?.text) seen(found.text);
    }
    const rest = Math.max(20, 120 - (performance.now() - began));
    await new Promise((resolve) => { window.setTimeout(resolve, rest); });
  }
}

function seen(text) {
  const code = tidied(text);
  if (code === lastCode && Date.now() - lastAt < AGAIN_AFTER) { lastAt = Date.now(); return; }
  lastCode = code;
  lastAt = Date.now();
  take(text);
}

if (navigator.mediaDevices?.getUserMedia) {
  camera.hidden = false;
  start.addEventListener("click", () => (stream ? stop() : open()));
  choice.addEventListener("change", () => { stop(); open(); });
  window.addEventListener("pagehide", stop);
}
