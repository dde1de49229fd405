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
  const data = message.data ?? message;
  event.waitUntil((async () => {
    await self.registration.showNotification(message.title ?? "My questions", {
      body: message.body ?? "", tag: data.collapse_key ?? "epro", icon: base + "icon.png", lang: message.lang,
      data: { assessment: data.assessment_id, delivery: data.delivery_id },
    });
    await told(data.delivery_id, "received");
  })());
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { assessment, delivery } = event.notification.data ?? {};
  const target = "/app" + (assessment ? "#/a/" + encodeURIComponent(assessment) : "");
  event.waitUntil((async () => {
    const open = (await self.clients.matchAll({ type: "window" })).find((c) => new URL(c.url).pathname.startsWith("/app"));
    if (open) {
      await open.focus();
      open.postMessage({ go: target.split("#")[1] ?? "/" });
    } else {
      await self.clients.openWindow(target);
    }
    await told(delivery, "opened");
  })());
});

// told says what became of a reminder, if it can; nothing depends on it.
async function told(delivery, event) {
  if (!delivery) return;
  try {
    await fetch("/v1/me/deliveries/" + encodeURIComponent(delivery) + "/events", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ event, at: new Date().toISOString() }),
    });
  } catch { /* no connection */ }
}
