// Keeps the walk usable without a network: its pages, its data and the files they load. It never touches what is sent.
const PAGES = "walk-pages-1";
const FILES = "walk-files-1";
const PATIENCE = 3_500;
const SCOPE = new URL("./", self.location).pathname;
const LAST = `${SCOPE}last-walk`;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("walk-") && ![PAGES, FILES].includes(name)) await caches.delete(name);
  await self.clients.claim();
})()));

self.addEventListener("message", (event) => event.waitUntil((async () => {
  const { type, page, data, files } = event.data;
  const pages = await caches.open(PAGES);
  if (type === "forget") { for (const address of [page, LAST]) await pages.delete(address); return; }
  if (type !== "keep") return;
  const kept = await caches.open(FILES);
  await Promise.allSettled(files.map(async (file) => { if (!(await kept.match(file))) await kept.add(file); }));
  await Promise.allSettled([page, data].map((address) => refresh(address)));
})()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(file(event.request));
  else if (event.request.mode === "navigate" && url.pathname.startsWith(SCOPE)) event.respondWith(page(event.request));
  else if (url.pathname.startsWith(SCOPE) && url.pathname.endsWith("/data")) event.respondWith(fresh(event.request));
});

// Files named by their content never change; others are asked for first.
async function file(request) {
  const cache = await caches.open(FILES);
  const kept = await cache.match(request);
  if (kept && new URL(request.url).searchParams.has("v")) return kept;
  try {
    const response = await within(fetch(request), kept);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function page(request) {
  try {
    return await refresh(request);
  } catch {
    const cache = await caches.open(PAGES);
    const sticker = new URL(request.url).pathname.startsWith(`${SCOPE}t/`);
    return (await cache.match(request, { ignoreSearch: true })) || (sticker && (await cache.match(LAST))) || offline();
  }
}

async function fresh(request) {
  try {
    return await refresh(request);
  } catch (error) {
    const kept = await (await caches.open(PAGES)).match(request);
    if (kept) return kept;
    throw error;
  }
}

// Fetches and keeps; a redirect (to signing in) is shown but never kept.
async function refresh(request) {
  const response = await within(fetch(request, typeof request === "string" ? { credentials: "same-origin" } : undefined), true);
  if (response.ok && !response.redirected) {
    const cache = await caches.open(PAGES);
    const address = new URL(typeof request === "string" ? request : request.url, self.location);
    await cache.put(address.pathname, response.clone());
    const walk = address.pathname.slice(SCOPE.length);
    if (walk && !walk.includes("/") && response.headers.get("Content-Type")?.includes("html")) await cache.put(LAST, response.clone());
  }
  return response;
}

// A network that hangs counts as none, where there is something to show instead.
function within(promise, limited) {
  if (!limited) return promise;
  return Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error("slow")), PATIENCE))]);
}

function offline() {
  const text = "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Offline</title><h1>No network</h1><p>This walk was not opened on this device before. Go where there is a network and open it once.</p>";
  return new Response(text, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}
