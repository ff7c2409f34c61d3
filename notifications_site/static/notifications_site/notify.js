/* The admin's few moving parts: a page that refreshes itself, copy buttons, tabs, and the switches of the inbox. */
"use strict";

(() => {
  const FIRST_WAIT = 1500; // milliseconds
  const LONGEST_WAIT = 15000;

  /* Fetches data-live-url until its answer says X-Final: yes. Slower and slower; not while nobody looks. */
  function refresh(box) {
    if (box.dataset.final === "yes") return;
    let wait = FIRST_WAIT;
    const again = () => setTimeout(ask, wait);
    async function ask() {
      if (document.hidden) return again();
      try {
        const response = await fetch(box.dataset.liveUrl, { headers: { "X-Requested-With": "fetch" }, redirect: "error" });
        if (!response.ok) return undefined;
        const html = await response.text();
        if (html !== box.dataset.shown) {
          const open = [...box.querySelectorAll("details")].map((each) => each.open);
          box.innerHTML = html;
          box.dataset.shown = html;
          [...box.querySelectorAll("details")].forEach((each, index) => { each.open = open[index] || false; });
          wait = FIRST_WAIT;
        } else {
          wait = Math.min(wait * 1.3, LONGEST_WAIT);
        }
        if (response.headers.get("X-Final") === "yes") return undefined;
      } catch {
        wait = LONGEST_WAIT;
      }
      return again();
    }
    again();
  }

  function copy(button) {
    button.addEventListener("click", async () => {
      const label = button.querySelector("[data-label]") || button;
      const before = label.textContent;
      try {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        label.textContent = button.dataset.copied;
      } catch {
        // Without a clipboard (plain HTTP on another machine) the text is selected, for Ctrl+C.
        getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      }
      setTimeout(() => { label.textContent = before; }, 2000);
    });
  }

  function choose(group, chosen, attribute) {
    for (const each of group.querySelectorAll("button")) each.setAttribute(attribute, String(each === chosen));
  }

  /* Buttons with data-tab show the element of that id and hide its siblings in data-panels. */
  function tabs(group) {
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-tab]");
      if (!button) return;
      choose(group, button, "aria-selected");
      for (const each of group.querySelectorAll("button[data-tab]")) {
        document.getElementById(each.dataset.tab).hidden = each !== button;
      }
    });
  }

  /* Buttons with data-value set data-<data-switch> on the element named by data-target; a frame with data-src reloads. */
  function switches(group) {
    const target = document.getElementById(group.dataset.target);
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-value]");
      if (!button) return;
      choose(group, button, "aria-pressed");
      target.dataset[group.dataset.switch] = button.dataset.value;
      if (target.dataset.src) reload(target);
    });
  }

  /* A frame that shows what a form holds is filled by the form's button for it. */
  function reload(frame) {
    const { src, scheme, pictures, locale } = frame.dataset;
    const address = `${src}?${new URLSearchParams({ scheme, pictures, ...(locale && { locale }) })}`;
    const button = document.querySelector(`button[formtarget="${frame.id}"]`);
    if (!button) {
      frame.src = address;
      return;
    }
    button.formAction = address;
    button.click();
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-live-url]").forEach(refresh);
    document.querySelectorAll("[data-copy]").forEach(copy);
    document.querySelectorAll("[data-tabs]").forEach(tabs);
    document.querySelectorAll("[data-switch]").forEach(switches);
  });
})();
