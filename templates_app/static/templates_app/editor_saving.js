/* Saving: by itself every ten seconds when something changed, at once with Ctrl+S; and what happens when two people write. */

import { Refused, post } from "./editor_server.js";
import { textElement } from "./editor_preview.js";

const EVERY = 10_000; // milliseconds

export class Saving {
  constructor(root, draft, { url, words, onSaved }) {
    Object.assign(this, { root, draft, url, words, onSaved, running: null, isStopped: !draft.mayWrite });
    this.state = root.querySelector("[data-save-state]");
    this.dialog = root.querySelector("[data-conflict]");
    if (!draft.mayWrite) return;
    this.#say("saved");
    draft.addEventListener("changed", () => this.#say(draft.isDirty ? "unsaved" : "saved"));
    setInterval(() => { if (!this.isStopped && draft.isDirty) this.save(); }, EVERY);
    addEventListener("beforeunload", (event) => { if (draft.isDirty) event.preventDefault(); });
  }

  /* True once all that was there is stored. One save at a time; what came meanwhile follows at once. */
  async save() {
    if (this.running) {
      await this.running;
      if (!this.draft.isDirty) return true;
    }
    const sent = this.draft.changes();
    if (!sent) return true;
    this.running = this.#send(sent);
    const isStored = await this.running;
    this.running = null;
    return isStored;
  }

  async #send(sent) {
    const { draft } = this;
    this.#say("saving");
    try {
      const number = draft.isDraft ? draft.number : null;
      const answer = await post(this.url, { ...sent, number, base: draft.base, revision: draft.revision });
      this.isStopped = false;
      draft.noteStored(sent, answer);
      this.#say(draft.isDirty ? "unsaved" : "saved", answer.clock);
      this.onSaved();
      return true;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error) {
    if (error instanceof Refused && error.status === 409 && error.answer.theirs) return this.#stale(error.answer);
    // A declaration that is wrong, a field that is too long: it is typed on, and tried again.
    const isRefused = error instanceof Refused && error.status < 500;
    this.#say("failed", isRefused ? error.answer.detail || error.message : this.words.away);
    return false;
  }

  /* Somebody else has saved since. Only what both changed is asked about; the rest fits together. */
  async #stale(answer) {
    const { draft } = this;
    const merged = draft.merge(answer.theirs);
    if (merged.both.length) {
      const decision = await this.#ask(answer, merged.both);
      if (!decision) return false; // nothing is saved until the next try asks again
      if (decision === "theirs") this.#keepAside(merged.both);
      Object.assign(merged, draft.merge(answer.theirs, decision));
    }
    draft.base = answer.base;
    draft.takeMerged(answer.theirs, merged);
    this.isStopped = false;
    const rest = draft.changes();
    const isStored = rest ? await this.#send(rest) : true;
    if (isStored) this.#say("saved", answer.who ? `· ${this.words.merged.replace("{who}", answer.who)}` : "");
    this.onSaved();
    return isStored;
  }

  #ask(answer, both) {
    const { dialog } = this;
    this.isStopped = true;
    this.#say("conflict");
    dialog.querySelector("[data-who]").textContent = answer.changed;
    const shown = answer.differences.filter((each) => both.some((path) => each.path.startsWith(path)));
    dialog.querySelector("[data-differences]").replaceChildren(...shown.map(difference));
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.onclose = () => resolve(dialog.returnValue);
    });
  }

  /* Taken theirs: our own words stay readable until the page is left. */
  #keepAside(both) {
    const aside = this.root.querySelector("[data-aside]");
    const own = both.map((path) => {
      const [kind, locale, channel, field] = path.split("/");
      const value = kind === "variables" ? this.draft.variables : field ? this.draft.contents[locale][channel][field] : this.draft.contents[locale]?.[channel];
      return `# ${path}\n${typeof value === "string" ? value : JSON.stringify(value, null, 2)}`;
    });
    aside.hidden = false;
    aside.querySelector("textarea").value = own.join("\n\n");
  }

  #say(state, detail = "") {
    this.state.dataset.state = state;
    const { isDraft, number } = this.draft;
    const words = state !== "saved" || isDraft ? this.words[state] : number ? this.words.begins : this.words.nothing_yet;
    this.state.querySelector("[data-words]").textContent = detail ? `${words} ${detail}` : words;
  }
}

function difference(each) {
  const item = document.createElement("li");
  const words = document.createElement("p");
  words.dir = "auto";
  words.append(...each.pieces.map(([kind, text]) => (kind === "same" ? text : textElement(kind === "added" ? "ins" : "del", text))));
  item.append(textElement("b", each.place), words);
  return item;
}
