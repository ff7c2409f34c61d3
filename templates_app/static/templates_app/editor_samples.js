/* Sample data: which values the preview shows. Some sets are always there, others are kept with the template. */

import { post } from "./editor_server.js";

export class Samples {
  constructor(root, draft, preview, { samples, url, words }) {
    Object.assign(this, { root, draft, preview, samples, url, words });
    this.choice = root.querySelector("select");
    this.editor = root.querySelector("[data-values]");
    this.told = root.querySelector("[data-told]");
    this.choice.addEventListener("change", () => this.#choose());
    this.editor.addEventListener("input", () => this.#typed());
    root.querySelector("[data-keep]")?.addEventListener("click", () => this.#keep());
    root.querySelector("[data-forget]")?.addEventListener("click", () => this.#forget());
    root.querySelector("details").addEventListener("toggle", () => this.#fill());
  }

  redraw(chosen = this.choice.value || "examples") {
    this.choice.replaceChildren(
      ...this.samples.map((each) => {
        const option = new Option(each.name, each.id);
        option.selected = each.id === chosen;
        return option;
      })
    );
    this.#tellKept();
  }

  get current() {
    return this.samples.find((each) => each.id === this.choice.value) || this.samples[0];
  }

  /* Values typed by hand, as the preview shows them; null for those of the set. */
  get typed() {
    return this.preview.sample.values;
  }

  #choose() {
    this.preview.choose({ sample: { set: this.current.id, values: null } });
    this.#tellKept();
    this.#fill();
  }

  /* The values as they are, to be changed by hand. */
  async #fill() {
    if (!this.root.querySelector("details").open) return;
    try {
      const { values } = await post(this.url, { act: "show", sample: this.current.id, variables: this.draft.variables });
      this.editor.value = JSON.stringify(values, null, 2);
      this.#say("");
    } catch (error) {
      this.#say(error.answer?.detail || this.words.away);
    }
  }

  #typed() {
    const values = this.#read();
    if (values) this.preview.choose({ sample: { set: this.current.id, values } });
  }

  #read() {
    try {
      const values = JSON.parse(this.editor.value);
      this.#say("");
      return values;
    } catch {
      this.#say(this.words.no_json);
      return null;
    }
  }

  async #keep() {
    const values = this.#read();
    const name = this.root.querySelector("[name=sample_name]").value.trim() || (this.current.is_kept ? this.current.name : "");
    if (!values) return;
    if (!name) {
      this.#say(this.words.sample_needs_name);
      return;
    }
    await this.#ask({ act: "keep", name, values });
  }

  async #forget() {
    await this.#ask({ act: "forget", sample: this.current.id });
  }

  async #ask(body) {
    try {
      const answer = await post(this.url, { ...body, variables: this.draft.variables });
      this.samples = answer.samples;
      this.redraw(answer.chosen);
      this.#choose();
    } catch (error) {
      this.#say(error.answer?.detail || this.words.away);
    }
  }

  #tellKept() {
    this.root.querySelector("[data-forget]")?.toggleAttribute("hidden", !this.current.is_kept);
  }

  #say(text) {
    this.told.textContent = text;
    this.told.hidden = !text;
  }
}
