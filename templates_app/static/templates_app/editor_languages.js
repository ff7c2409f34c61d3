/* The tabs of languages and channels, each with a dot that says how far it is. */

import { CHANNELS } from "./editor_draft.js";
import { textElement } from "./editor_preview.js";

const NAMES = new Intl.DisplayNames([document.documentElement.lang || "en"], { type: "language", fallback: "code" });
/* Of the findings, those that say what a language lacks; the worst wins. */
const STATES = [
  ["missing", new Set(["missing_field", "missing_default_locale", "locale_incomplete"])],
  ["older", new Set(["locale_outdated"])],
];

export class Languages {
  constructor(root, draft, words) {
    Object.assign(this, { root, draft, words });
    this.list = root.querySelector("[data-languages]");
    this.channels = root.querySelector("[data-channels]");
    this.list.addEventListener("click", (event) => this.#choose(event.target.closest("[data-locale]")));
    this.channels.addEventListener("click", (event) => this.#choose(event.target.closest("[data-channel]")));
    for (const list of [this.list, this.channels]) list.addEventListener("keydown", (event) => this.#key(event, list));
    draft.addEventListener("shown", () => this.redraw());
    this.#dialogs();
    this.redraw();
  }

  redraw() {
    const { draft } = this;
    this.list.replaceChildren(...draft.locales.map((locale) => this.#tab(locale)));
    for (const tab of this.channels.children) {
      const isChosen = tab.dataset.channel === draft.channel;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      tab.dataset.state = draft.contents[draft.locale][tab.dataset.channel] ? "there" : "none";
    }
    const remove = this.root.querySelector("[data-remove-language]");
    if (remove) {
      remove.hidden = !Object.keys(draft.contents[draft.locale]).length;
      remove.querySelector("[data-words]").textContent = this.words.remove.replace("{what}", this.#shown());
    }
  }

  nameOf(locale) {
    return NAMES.of(locale) || locale;
  }

  #shown() {
    return `${this.nameOf(this.draft.locale)}, ${this.words[this.draft.channel]}`;
  }

  #tab(locale) {
    const { draft } = this;
    const tab = document.createElement("button");
    const state = this.#stateOf(locale);
    tab.type = "button";
    tab.className = "ed-tab";
    tab.dataset.locale = locale;
    tab.dataset.state = state;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "ed-write");
    tab.setAttribute("aria-selected", String(locale === draft.locale));
    tab.tabIndex = locale === draft.locale ? 0 : -1;
    tab.title = `${this.nameOf(locale)} · ${this.words[state]}`;
    const dot = document.createElement("i");
    dot.setAttribute("aria-hidden", "true");
    const told = textElement("span", ` ${this.words[state]}`);
    told.className = "ed-hidden";
    tab.append(dot, textElement("span", this.nameOf(locale)), textElement("small", locale), told);
    return tab;
  }

  #stateOf(locale) {
    const own = this.draft.findings.filter((each) => each.path.split("/")[1] === locale);
    const isEmpty = !Object.keys(this.draft.contents[locale]).length;
    return isEmpty ? "missing" : STATES.find(([, codes]) => own.some((each) => codes.has(each.code)))?.[0] || "complete";
  }

  #choose(tab) {
    if (!tab) return;
    const { draft } = this;
    const list = tab.parentElement;
    if (tab.dataset.locale) {
      const there = draft.contents[tab.dataset.locale];
      const channel = there[draft.channel] ? draft.channel : CHANNELS.find((each) => there[each]) || draft.channel;
      draft.show(tab.dataset.locale, channel);
    } else {
      draft.show(draft.locale, tab.dataset.channel);
    }
    list.querySelector("[aria-selected=true]").focus();
  }

  #key(event, list) {
    const isRightToLeft = getComputedStyle(list).direction === "rtl";
    const steps = { ArrowRight: isRightToLeft ? -1 : 1, ArrowLeft: isRightToLeft ? 1 : -1 };
    const tabs = [...list.children];
    const at = tabs.indexOf(document.activeElement);
    if (!(event.key in steps) || at < 0) return;
    event.preventDefault();
    this.#choose(tabs[(at + steps[event.key] + tabs.length) % tabs.length]);
  }

  #dialogs() {
    const adding = this.root.querySelector("[data-add-language]");
    const dialog = this.root.querySelector("[data-language-dialog]");
    if (!adding) return;
    const form = dialog.querySelector("form");
    const input = form.elements.locale;
    adding.addEventListener("click", () => {
      input.value = "";
      input.setCustomValidity("");
      dialog.showModal();
    });
    input.addEventListener("input", () => input.setCustomValidity(""));
    form.addEventListener("submit", (event) => {
      if (event.submitter?.value !== "add") return;
      const locale = canonical(input.value);
      const problem = !locale ? this.words.no_locale : this.draft.contents[locale] ? this.words.there_already : "";
      input.setCustomValidity(problem);
      if (problem) {
        event.preventDefault();
        input.reportValidity();
        return;
      }
      this.draft.addLanguage(locale, form.elements.copy.checked);
    });
    const removing = this.root.querySelector("[data-remove-dialog]");
    this.root.querySelector("[data-remove-language]").addEventListener("click", () => {
      removing.querySelector("[data-what]").textContent = this.#shown();
      removing.showModal();
    });
    removing.addEventListener("close", () => {
      if (removing.returnValue !== "remove") return;
      const { draft } = this;
      const isLast = Object.keys(draft.contents[draft.locale]).length === 1;
      draft.remove(draft.locale, isLast && draft.locale !== draft.defaultLocale ? null : draft.channel);
      removing.returnValue = "";
    });
  }
}

function canonical(text) {
  try {
    return Intl.getCanonicalLocales(text.trim().replaceAll("_", "-"))[0] || "";
  } catch {
    return "";
  }
}
