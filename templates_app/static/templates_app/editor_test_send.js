/* A test of what the preview shows, sent in earnest; the result stands in the dialog. */

import { post } from "./editor_server.js";

export class TestSend {
  constructor(root, draft, { url, words, saving, samples }) {
    Object.assign(this, { draft, url, words, saving, samples });
    this.dialog = root.querySelector("[data-test-dialog]");
    this.result = this.dialog.querySelector("[data-result]");
    this.form = this.dialog.querySelector("form");
    root.querySelector("[data-send-test]").addEventListener("click", () => {
      this.result.hidden = true;
      this.dialog.showModal();
    });
    this.form.addEventListener("submit", (event) => {
      if (event.submitter?.value !== "send") return;
      event.preventDefault();
      this.#send();
    });
  }

  async #send() {
    const { draft } = this;
    this.#say("info", this.words.test_sending);
    if (draft.isDirty && !(await this.saving.save())) {
      this.#say("danger", this.words.away);
      return;
    }
    try {
      const answer = await post(this.url, {
        version: draft.number,
        locale: draft.locale,
        channel: draft.channel,
        to: this.form.elements.to.value,
        sample: this.samples.current.id,
        values: this.samples.typed,
      });
      this.#say(answer.is_accepted ? "success" : "danger", answer.sentence, answer.shown_at);
    } catch (error) {
      this.#say("danger", error.answer?.detail || this.words.away);
    }
  }

  #say(tone, sentence, address = "") {
    this.result.hidden = false;
    this.result.className = `nt-note nt-${tone}`;
    this.result.querySelector("[data-words]").textContent = sentence;
    const link = this.result.querySelector("[data-shown]");
    link.hidden = !address;
    link.href = address;
    link.textContent = this.words.test_shown;
  }
}
