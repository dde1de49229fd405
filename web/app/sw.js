// The service worker: it keeps the app's own files, so that the app starts
// without a connection, and shows reminders. It never touches the API.

const version = "{{version}}", cacheName = "epro-app-" + version, base = "/app/" + version + "/";
const files = ["app.html", "app.css", "app.js", "screens.js", "words.js", "sync.js", "vault.js", "draft.js", "app.webmanifest", "icon.svg", "icon.png"];

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(cacheName);
    await cache.addAll(files.map((name) => base + name));
    await self.skipWaiting(); // a page has all its files from the start, so an older one goes on undisturbed
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("epro-app-") && name !== cacheName) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const page = event.request.mode === "navigate" && (url.pathname === "/app" || url.pathname === "/app/");
  if (!page && !url.pathname.startsWith(base)) return;
  event.respondWith((async () => {
    const cache = await caches.open(cacheName);
    return await cache.match(page ? base + "app.html" : event.request) ?? fetch(event.request);
  })());
});

// A reminder says only that something waits: no study, no illness, no name.
self.addEventListener("push", (event) => {
  let message = {};
  try {
    message = event.data?.json() ?? {};
  } catch { /* an empty reminder still reminds */ }
  event.waitUntil((async () => {
    await self.registration.showNotification(message.title ?? "My questions", {
      body: message.body ?? "", tag: message.tag ?? "epro", icon: base + "icon.png", data: { assessment: message.assessment, delivery: message.delivery },
    });
    await told(message.delivery, "received");
  })());
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { assessment, delivery } = event.notification.data ?? {};
  const to = assessment ? "/a/" + encodeURIComponent(assessment) : "/";
  event.waitUntil((async () => {
    const open = (await self.clients.matchAll({ type: "window" })).find((c) => new URL(c.url).pathname.startsWith("/app"));
    if (open) {
      await open.focus();
      open.postMessage({ go: to });
    } else {
      await self.clients.openWindow("/app#" + to);
    }
    await told(delivery, "opened");
  })());
});

const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// told says what became of a reminder, if it can; nothing depends on it.
async function told(delivery, event) {
  if (!delivery) return;
  const path = "/v1/me/deliveries/" + encodeURIComponent(delivery) + "/events", body = { event, at: new Date().toISOString() };
  try {
    if ((await post(path, body)).status !== 401) return;
    await post("/v1/auth/refresh", { transport: "cookie", holder: "participant" });
    await post(path, body);
  } catch { /* no connection */ }
}
