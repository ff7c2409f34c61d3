// The service worker of the demo: the one for integrators, which the page can also hand what its stand-in received.
"use strict";

importScripts("/static/notifications_site/push-worker.js");

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (message) => {
  if (!message.data?.push) return;
  const event = new PushEvent("push", { data: message.data.push });
  event.waitUntil = (work) => message.waitUntil(work); // only the browser's own events may be waited for
  self.dispatchEvent(event);
});
