// The one subscription at the stand-in, kept by the browser: its keys can be used from there, but never be read.

const wrap = (request) => new Promise((done, fail) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});

const store = async (mode) => {
  const opening = indexedDB.open("web-push-demo", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("subscription");
  return (await wrap(opening)).transaction("subscription", mode).objectStore("subscription");
};

export const remember = async (subscription) => wrap((await store("readwrite")).put(subscription, "here"));

export const recall = async () => wrap((await store("readonly")).get("here"));

export const forget = async () => wrap((await store("readwrite")).delete("here"));
