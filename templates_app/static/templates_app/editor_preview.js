/* The live preview: what a person would get, asked anew while somebody types. The last good one is never taken away. */

import { post } from "./editor_server.js";

const WAIT = 400; // milliseconds without typing
const AGAIN = 5000; // milliseconds until the next try when the server is away

export class Preview {
  constructor(root, draft, { url, words, openFinding }) {
    Object.assign(this, { root, draft, url, words, openFinding, timer: 0, isAsking: false, wantsMore: false });
    this.sample = { set: "examples", values: null };
    this.scheme = "light";
    this.view = "html";
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    draft.addEventListener("changed", () => this.ask());
    draft.addEventListener("shown", () => this.ask(0));
    this.part("problem").addEventListener("click", () => this.problem && this.openFinding(this.problem.path, this.problem.line));
  }

  choose(changes) {
    Object.assign(this, changes);
    this.ask(0);
  }

  ask(wait = WAIT) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), wait);
  }

  async #ask() {
    if (this.isAsking) {
      this.wantsMore = true; // one request at a time: the answer of an older one never covers a newer one
      return;
    }
    const { draft } = this;
    this.root.dataset.channel = draft.channel;
    this.root.classList.toggle("is-empty", !draft.words);
    if (!draft.words) return;
    this.isAsking = true;
    const about = `${draft.locale}/${draft.channel}`;
    try {
      const answer = await post(this.url, {
        locale: draft.locale,
        channel: draft.channel,
        words: draft.words,
        variables: draft.variables,
        sample: this.sample.set,
        values: this.sample.values,
        scheme: this.scheme,
      });
      if (about === `${draft.locale}/${draft.channel}`) this.#show(answer);
    } catch (error) {
      this.#trouble({ message: error.answer?.detail || this.words.away });
      if (!error.status || error.status >= 500) this.ask(AGAIN);
    } finally {
      this.isAsking = false;
      this.root.dataset.asked = String(Number(this.root.dataset.asked || 0) + 1);
      if (this.wantsMore) {
        this.wantsMore = false;
        this.ask(0);
      }
    }
  }

  #show(answer) {
    if (answer.problem) return this.#trouble(answer.problem);
    this.problem = null;
    this.part("problem").hidden = true;
    this.root.classList.remove("is-stale");
    if (answer.channel === "push") this.#showPush(answer);
    else this.#showEmail(answer);
    this.part("notes").replaceChildren(...answer.notes.map((note) => textElement("li", note)));
    return undefined;
  }

  #trouble(problem) {
    this.problem = problem.path ? problem : null;
    const place = this.part("problem");
    place.hidden = false;
    place.querySelector("[data-where]").textContent = problem.where || "";
    place.querySelector("[data-message]").textContent = problem.message;
    place.querySelector("[data-fix]").textContent = problem.fix || "";
    place.disabled = !this.problem;
    this.root.classList.add("is-stale");
  }

  #showEmail(mail) {
    for (const name of ["subject", "preheader", "sender"]) this.part(name).textContent = mail[name];
    const frame = this.part("frame");
    if (frame.srcdoc !== mail.html) frame.srcdoc = mail.html;
    frame.dataset.scheme = this.scheme;
    this.part("text").textContent = mail.text;
    this.part("source").textContent = mail.source;
    this.part("headers").replaceChildren(
      ...mail.headers.map(([name, value]) => {
        const row = document.createElement("tr");
        const head = textElement("th", name);
        head.scope = "row";
        row.append(head, textElement("td", value));
        return row;
      })
    );
  }

  #showPush(push) {
    for (const name of ["title", "body", "image"]) {
      for (const place of this.root.querySelectorAll(`[data-push="${name}"]`)) {
        place.textContent = push[name];
        place.closest("[data-push-image]")?.toggleAttribute("hidden", !push.image);
      }
    }
    for (const place of this.root.querySelectorAll("[data-push-actions]")) {
      place.replaceChildren(...push.actions.map((each) => textElement("span", each.title)));
    }
    const rows = [["link", push.link], ...push.actions.map((each) => [each.action, each.link]), ...Object.entries(push.data)];
    this.part("data").replaceChildren(
      ...rows.filter(([, value]) => value).flatMap(([name, value]) => [textElement("dt", name), textElement("dd", value)])
    );
  }
}

export function textElement(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
