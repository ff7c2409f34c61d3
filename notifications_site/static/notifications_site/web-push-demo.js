// The demo of Web Push: subscribes this browser, has a push sent to it, and shows what becomes of it.
import { decrypt, makeKeys, publicPoint } from "./push-decryption.js";
import { forget, recall, remember } from "./demo-store.js";

const EVERY = 700; // milliseconds between two questions
const PATIENCE = 15_000; // milliseconds a browser's own push service may take
const PERSON = "demo-browser";

const byId = (id) => document.getElementById(id);
const demo = byId("demo").dataset;
const words = byId("words").dataset;
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
const pause = () => new Promise((done) => { setTimeout(done, EVERY); });

const say = (id, text, tone = "") => {
  byId(id).textContent = text;
  byId(id).dataset.tone = tone;
};

const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const ask = async (path, { method = "GET", body } = {}) => {
  const answer = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${demo.key}`, "Content-Type": "application/json", Accept: "application/json" },
    body: body && JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.errors?.[0]?.detail ?? said.detail ?? answer.statusText);
  return said;
};

// --- subscribing ----------------------------------------------------------------------------------------------------

const within = (work) => Promise.race([
  work,
  new Promise((_, fail) => { setTimeout(() => fail(new Error(`${PATIENCE / 1000} s`)), PATIENCE); }),
]);

/** At the push service the browser's vendor runs. */
const subscribeReally = async (registration) => {
  const { public_key: key } = await ask("/api/v1/webpush/key/");
  const how = { userVisibleOnly: true, applicationServerKey: fromBase64(key) };
  const there = await registration.pushManager.getSubscription();
  const isOurs = there && toBase64(new Uint8Array(there.options.applicationServerKey)) === key;
  if (there && !isOurs) await there.unsubscribe(); // made with the key of another installation
  return (isOurs ? there : await within(registration.pushManager.subscribe(how))).toJSON();
};

/** At the one played on this machine; what the browser would keep to itself, this page keeps. */
const subscribeHere = async () => {
  let there = await recall();
  if (!there || !(await fetch(there.messages)).ok) {
    const { endpoint, messages } = await ask(demo.service, { method: "POST" });
    there = { keys: await makeKeys(), endpoint, messages, seen: 0 };
    await remember(there);
  }
  const { pair, auth } = there.keys;
  return { endpoint: there.endpoint, keys: { p256dh: toBase64(await publicPoint(pair)), auth: toBase64(auth) } };
};

const subscribe = async () => {
  if (!window.isSecureContext) throw new Error(words.unsafe);
  say("way", words.asking);
  say("note", "");
  if ((await Notification.requestPermission()) !== "granted") throw new Error(words.blocked);
  await navigator.serviceWorker.register(`${demo.worker}?receipts=/api/v1/receipts/`);
  const registration = await navigator.serviceWorker.ready;
  let subscription;
  let [way, note] = [words.real, ""];
  try {
    subscription = await subscribeReally(registration);
    await forget();
  } catch (error) {
    [way, note] = [words.played, `${words.why} ${error.message}. ${words.keep}`];
    subscription = await subscribeHere();
  }
  await ask(`/api/v1/users/${PERSON}/`, { method: "PUT", body: { name: "Demo browser", locale: "en" } });
  const device = { provider: "webpush", platform: "web", subscription, name: "The browser of the demo" };
  await ask(`/api/v1/users/${PERSON}/devices/`, { method: "POST", body: device });
  isReady(way, note, subscription.endpoint);
};

const isReady = (way, note, endpoint) => {
  say("way", way, "good");
  say("note", note);
  byId("endpoint").textContent = endpoint;
  byId("send").disabled = false;
};

/** After a reload everything is still there. */
const resume = async () => {
  const registration = await navigator.serviceWorker?.getRegistration(demo.worker);
  const played = await recall();
  const real = await registration?.pushManager.getSubscription();
  if (registration && played) isReady(words.played, words.keep, played.endpoint);
  else if (real) isReady(words.real, "", real.endpoint);
};

// --- receiving by the stand-in --------------------------------------------------------------------------------------

/** Decrypts what has come and hands it to the service worker, as the browser does with what its push service sends. */
const take = async (subscription) => {
  const answer = await fetch(`${subscription.messages}?after=${subscription.seen}`);
  if (answer.status === 404) {
    await forget();
    byId("send").disabled = true;
    say("way", words.ended, "bad");
    return;
  }
  for (const { number, body } of (await answer.json()).messages) {
    const push = new TextDecoder().decode(await decrypt(fromBase64(body), subscription.keys));
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ push });
    await remember({ ...subscription, seen: number });
  }
};

const listen = async () => {
  for (;;) {
    try {
      const subscription = await recall();
      if (subscription) await take(subscription);
    } catch {
      // the platform is being restarted; the next round finds it
    }
    await pause();
  }
};

// --- sending and watching -------------------------------------------------------------------------------------------

const lineOf = (step) => {
  const line = document.createElement("li");
  const [time, type, detail] = ["time", "b", "span"].map((name) => document.createElement(name));
  line.dataset.type = step.type;
  time.dateTime = step.at;
  time.textContent = clock.format(new Date(step.at));
  type.textContent = step.type.replaceAll("_", " ");
  detail.textContent = step.detail;
  line.append(time, type, detail);
  return line;
};

let watched = "";

const watch = async (id) => {
  watched = id;
  let known = 0;
  byId("story").replaceChildren();
  while (watched === id) {
    try {
      const { results } = await ask(`/api/v1/notifications/${id}/events/`);
      byId("story").append(...results.slice(known).map(lineOf));
      known = results.length;
      if (results.some((step) => step.type === "clicked")) return;
    } catch {
      say("sent", words.lost, "bad");
    }
    await pause();
  }
};

const send = async () => {
  const body = {
    notification_type: "push",
    user_id: PERSON,
    template_code: "order_shipped",
    variables: { name: "Ann", order_id: "HB-20418", link: `${location.origin}${location.pathname}#clicked` },
    request_id: crypto.randomUUID(),
    priority: "high",
  };
  const { id } = await ask("/api/v1/notifications/", { method: "POST", body });
  say("sent", `${words.accepted} ${id}`, "good");
  byId("timeline").href = `/admin/gateway/notification/${id}/change/`;
  byId("timeline").hidden = false;
  watch(id);
};

const onClick = (id, said, work) => byId(id).addEventListener("click", async () => {
  byId(id).disabled = true;
  try {
    await work();
  } catch (error) {
    say(said, `${words.trouble} ${error.message}`, "bad");
  }
  byId(id).disabled = false;
});

onClick("subscribe", "way", subscribe);
onClick("send", "sent", send);
byId("subscribe").disabled = false;
resume();
listen();
