// The start page: copy buttons, local times, and the last messages as they go out. Without it the page still reads.
"use strict";

(() => {
  const EVERY = 1000; // milliseconds between two questions
  const byId = (id) => document.getElementById(id);
  const list = byId("messages");
  const live = byId("live");
  const words = byId("copy-words").dataset;

  // --- copy buttons -------------------------------------------------------------------------------------------------

  const copy = async (code, button) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = words.copied;
    } catch {
      // Not allowed to write: select it, the person copies.
      getSelection().selectAllChildren(code);
      button.textContent = words.selected;
    }
    setTimeout(() => { button.textContent = words.copy; }, 2000);
  };

  for (const box of document.querySelectorAll(".paste")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = words.copy;
    button.addEventListener("click", () => copy(box.querySelector("code"), button));
    box.append(button);
  }

  // --- last messages ------------------------------------------------------------------------------------------------

  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });

  const showTime = (element, moment) => {
    element.dateTime = moment;
    element.textContent = clock.format(new Date(moment));
    element.title = moment;
  };

  const lineOf = (message) => {
    const line = byId("message").content.firstElementChild.cloneNode(true);
    const field = (name) => line.querySelector(`[data-field="${name}"]`);
    line.dataset.id = message.id;
    for (const name of ["title", "channel", "person", "template", "word"]) field(name).textContent = message[name];
    field("word").dataset.tone = message.tone;
    field("title").href = message.url;
    showTime(field("at"), message.at);
    return line;
  };

  let shown = "";

  const show = (messages) => {
    const state = JSON.stringify(messages);
    if (state === shown) return; // nothing moved: leave focus and selection alone
    const known = new Set([...list.children].map((line) => line.dataset.id));
    const focused = list.contains(document.activeElement) ? document.activeElement.closest("li").dataset.id : null;
    const lines = messages.map(lineOf);
    list.replaceChildren(...lines);
    byId("empty").hidden = messages.length > 0;
    for (const line of lines) {
      if (!known.has(line.dataset.id)) line.classList.add("is-new");
      if (line.dataset.id === focused) line.querySelector("a").focus();
    }
    const newest = messages[0];
    if (shown && newest) byId("news").textContent = `${newest.title}: ${newest.word}`;
    shown = state;
  };

  const say = (state) => {
    live.dataset.state = state;
    live.textContent = live.dataset[state];
  };

  let timer = null;

  const ask = async () => {
    clearTimeout(timer);
    if (document.hidden) return; // asked again when the tab is looked at
    try {
      const answer = await fetch(list.dataset.url, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.statusText);
      show((await answer.json()).messages);
      say("live");
    } catch {
      say("lost");
    }
    clearTimeout(timer);
    timer = setTimeout(ask, EVERY);
  };

  for (const time of list.querySelectorAll("time")) showTime(time, time.dateTime);
  document.addEventListener("visibilitychange", ask);
  ask();
})();
