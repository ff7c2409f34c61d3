/* Small tables inside a push: its data (name and value) and its buttons. */

export class Rows {
  constructor(root, draft) {
    Object.assign(this, { root, draft, name: root.dataset.rows });
    this.body = root.querySelector("[data-body]");
    this.pattern = root.querySelector("template");
    this.most = Number(root.dataset.most);
    this.adding = root.querySelector("[data-add]");
    this.adding?.addEventListener("click", () => {
      this.#append({});
      this.#tellMost();
      this.body.lastElementChild.querySelector("input").focus();
    });
    this.body.addEventListener("input", () => this.#read());
    this.body.addEventListener("click", (event) => {
      if (!event.target.closest("[data-remove]")) return;
      event.target.closest("[data-row]").remove();
      this.#read();
      this.#tellMost();
      this.adding.focus();
    });
  }

  show() {
    if (!this.draft.words || this.draft.channel !== "push") return;
    const value = this.draft.words[this.name] || (this.name === "data" ? {} : []);
    const rows = this.name === "data" ? Object.entries(value).map(([key, text]) => ({ key, value: text })) : value;
    this.body.replaceChildren();
    for (const row of rows) this.#append(row);
    this.#tellMost();
  }

  #append(row) {
    const element = this.pattern.content.firstElementChild.cloneNode(true);
    for (const input of element.querySelectorAll("input")) {
      input.value = row[input.name] ?? "";
      input.readOnly = !this.draft.mayWrite;
      if (input.name !== "key" && input.name !== "action") input.dir = this.draft.isRightToLeft() && input.name === "title" ? "rtl" : "ltr";
    }
    this.body.append(element);
  }

  #read() {
    const rows = [...this.body.querySelectorAll("[data-row]")].map((row) =>
      Object.fromEntries([...row.querySelectorAll("input")].map((input) => [input.name, input.value]))
    );
    const value =
      this.name === "data"
        ? Object.fromEntries(rows.filter((row) => row.key).map((row) => [row.key, row.value]))
        : rows.filter((row) => row.action || row.title || row.link);
    this.draft.change(this.name, value);
  }

  #tellMost() {
    if (this.adding) this.adding.hidden = this.body.children.length >= this.most;
  }
}
