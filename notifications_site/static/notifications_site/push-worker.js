// Shows the pushes of this platform in a browser, and reports what became of them. Copy it to the root of your site and
// register it with what it should know (docs/how_to/send_push.md), all of it optional:
//
//   navigator.serviceWorker.register("/push-worker.js?receipts=/push-receipts&subscriptions=/push-subscriptions&icon=/icon.png")
//
//   receipts       path of yours that passes {"receipt", "event"} on to POST /api/v1/receipts/ (default /push-receipts)
//   subscriptions  path of yours that takes {"subscription", "old_endpoint"} when the browser has renewed its subscription
//   key            the public key of Web Push, to subscribe anew where the browser does not say with which it was
//   icon, badge    pictures for every push that brings none in its data
"use strict";

(() => {
  const own = new URL(self.location.href).searchParams;
  const receipts = own.get("receipts") ?? "/push-receipts";

  const post = (path, body) => fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    keepalive: true,
  });

  // A report that is lost is no reason not to show the push, or not to open what was clicked.
  const report = (data, event) => (data?.receipt ? post(receipts, { receipt: data.receipt, event }).catch(() => {}) : null);

  const read = (data) => {
    try {
      return data.json();
    } catch {
      return { title: data?.text() ?? "" }; // not ours; a browser wants to see something all the same
    }
  };

  const show = ({ title, body, image, tag, badge, silent, link, actions = [], data = {} }) => {
    if (typeof badge === "number") navigator.setAppBadge?.(badge).catch(() => {});
    return self.registration.showNotification(title || self.location.host, {
      body,
      image,
      tag,
      silent,
      icon: data.icon ?? own.get("icon") ?? undefined,
      badge: data.badge ?? own.get("badge") ?? undefined, // a small picture; the number is the app's
      actions: actions.map((each) => ({ action: each.action, title: each.title })),
      data: { ...data, link: link ?? data.link, links: Object.fromEntries(actions.map((each) => [each.action, each.link])) },
    });
  };

  const open = async (link) => {
    const url = new URL(link, self.location.origin);
    if (!["https:", "http:"].includes(url.protocol)) return;
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const there = windows.find((each) => each.url === url.href);
    await (there ? there.focus() : self.clients.openWindow(url.href));
  };

  const renew = async ({ oldSubscription, newSubscription }) => {
    const how = oldSubscription?.options ?? { userVisibleOnly: true, applicationServerKey: own.get("key") };
    const fresh = newSubscription ?? (await self.registration.pushManager.subscribe(how));
    const path = own.get("subscriptions");
    if (path) await post(path, { subscription: fresh.toJSON(), old_endpoint: oldSubscription?.endpoint ?? null });
  };

  self.addEventListener("push", (event) => {
    const push = read(event.data);
    event.waitUntil(Promise.all([show(push), report(push.data, "delivered")]));
  });

  self.addEventListener("notificationclick", (event) => {
    event.notification.close();
    const data = event.notification.data ?? {};
    const link = data.links?.[event.action] ?? data.link;
    event.waitUntil(Promise.all([report(data, "clicked"), link ? open(link) : null]));
  });

  self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));
})();
