// The page of one visit: photo from the camera, the way through doors, and a hint when somebody else changed it.
import { listen } from "../live.js";
import { listenToWedge, openByCode } from "./code.js";

const page = document.querySelector(".visit-head");
const news = document.querySelector("[data-visit-news]");

listen("visits", (topic, data) => {
  if (topic === "resync" || data.visit === page.dataset.visit || data.subject === page.dataset.visit) news.hidden = false;
});
news.addEventListener("click", () => window.location.reload());
listenToWedge((code) => openByCode(page, code));

// The path through doors is drawn by the entry log; where there is none, nothing is missing.
const path = document.getElementById("path");
if (path) {
  fetch(path.dataset.path, { headers: { "X-Fragment": "1" } }).then(async (response) => {
    if (!response.ok) return;
    path.innerHTML = await response.text();
    path.hidden = path.childElementCount === 0;
  }).catch(() => { path.hidden = true; });
}

// After the label was asked for in its own tab this page shows the label's state.
document.querySelector("[data-print]")?.addEventListener("submit", () => {
  window.setTimeout(() => window.location.reload(), 1200);
});

const photo = document.querySelector("[data-photo]");
if (photo && navigator.mediaDevices?.getUserMedia) {
  const start = photo.querySelector("[data-photo-start]");
  const word = start.querySelector("span");
  const video = photo.querySelector("video");
  const shown = () => [...photo.querySelector("[data-photo-frame]").children].filter((node) => node !== video);
  const failed = photo.querySelector("[data-photo-error]");
  const form = photo.querySelector("[data-photo-form]");
  let stream = null;
  start.hidden = false;

  const say = (text) => { failed.textContent = text; failed.hidden = !text; };

  function stop() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.hidden = true;
    for (const node of shown()) node.hidden = false;
  }

  async function look() {
    say("");
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 960 }, facingMode: "user" } });
    } catch (error) {
      say(error.name === "NotAllowedError" ? "The browser may not use the camera. Allow it in the address bar, or choose a file." : "No camera was found. Choose a file instead.");
      return;
    }
    video.srcObject = stream;
    await video.play();
    for (const node of shown()) node.hidden = true;
    video.hidden = false;
    word.textContent = "Take the picture now";
    start.focus();
  }

  async function take() {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    const file = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.92); });
    stop();
    const body = new FormData(form);
    body.set("photo", file, "camera.jpg");
    start.disabled = true;
    try {
      const response = await fetch(form.action, { method: "POST", body, headers: { "X-Fragment": "1" } });
      const html = new DOMParser().parseFromString(await response.text(), "text/html");
      const picture = html.querySelector("[data-photo-frame] img");
      if (response.ok && picture) { shown().forEach((node) => node.remove()); photo.querySelector("[data-photo-frame]").prepend(picture); word.textContent = "Take again"; document.querySelector("[data-enter]")?.focus(); }
      else say(html.querySelector(".error, .note")?.textContent || "The picture was not taken over. Try again.");
    } catch { say("The site cannot be reached. Try again."); }
    start.disabled = false;
  }

  start.addEventListener("click", () => (stream ? take() : look()));
  window.addEventListener("pagehide", stop);
}
