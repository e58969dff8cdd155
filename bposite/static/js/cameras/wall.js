// The wall reloads its cards as one fragment, quietly, while somebody looks at it.

const EVERY = 8000;
const wall = document.querySelector("[data-wall]");

async function refresh() {
  if (document.hidden || wall.contains(document.activeElement)) return; // never under somebody's focus
  try {
    const answer = await fetch(wall.dataset.wall, { headers: { "X-Fragment": "1" }, redirect: "error" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    keepPictures(fresh);
    wall.replaceChildren(...fresh.body.childNodes);
  } catch {
    // the page keeps what it shows; the next round tries again
  }
}

// A picture that is loaded stays until its successor is: nothing flickers.
function keepPictures(fresh) {
  const old = new Map([...wall.querySelectorAll(".camera-still img")].map((img) => [img.alt, img]));
  for (const img of fresh.querySelectorAll(".camera-still img")) {
    const shown = old.get(img.alt);
    if (!shown) continue;
    const next = img.src;
    img.removeAttribute("loading");
    img.src = shown.src;
    if (shown.src === next) continue;
    const loader = new Image();
    loader.onload = () => { for (const now of wall.querySelectorAll(".camera-still img")) if (now.alt === img.alt) now.src = next; };
    loader.src = next;
  }
}

if (wall) window.setInterval(refresh, EVERY);
