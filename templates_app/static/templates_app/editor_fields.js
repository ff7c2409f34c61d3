/* Fields in which {{ placeholders }} stand out, and in which typing {{ offers the declared variables. */

const PLACEHOLDER = /\{\{\s*([a-z_][\w.]*)?[^{}]*\}\}|\{%[^%]*%\}|\{#.*?#\}/gi;

export class MarkedField {
  /* `isKnown(name)` says whether a variable is declared; `offers()` gives [{name, type, example}]. */
  constructor(box, { isKnown, offers, onChange, words }) {
    this.input = box.querySelector("input, textarea");
    this.marks = box.querySelector("[data-marks]");
    this.isKnown = isKnown;
    this.completion = new Completion(this.input, this.marks, offers, words);
    this.input.addEventListener("input", () => { this.redraw(); onChange(this.input.value); this.completion.update(); });
    this.input.addEventListener("scroll", () => this.#follow());
    this.input.addEventListener("keyup", (event) => { if (event.key.startsWith("Arrow")) this.#follow(); });
    if (this.input.tagName === "TEXTAREA") new ResizeObserver(() => this.#follow()).observe(this.input);
  }

  set value(text) {
    if (this.input.value !== text) this.input.value = text;
    this.redraw();
  }

  get value() {
    return this.input.value;
  }

  redraw() {
    const text = this.input.value;
    this.marks.replaceChildren();
    let end = 0;
    for (const found of text.matchAll(PLACEHOLDER)) {
      const mark = document.createElement("mark");
      mark.textContent = found[0];
      const root = (found[1] || "").split(".")[0];
      if (found[0].startsWith("{{") && root && !this.isKnown(root)) mark.className = "is-unknown";
      this.marks.append(text.slice(end, found.index), mark);
      end = found.index + found[0].length;
    }
    this.marks.append(`${text.slice(end)}\n`);
    this.#follow();
  }

  #follow() {
    this.marks.scrollTop = this.input.scrollTop;
    this.marks.scrollLeft = this.input.scrollLeft;
  }
}

/* The list that opens behind {{ in a plain field; the pattern of an ARIA combobox. */
class Completion {
  constructor(input, marks, offers, words) {
    Object.assign(this, { input, marks, offers, shown: [], chosen: 0 });
    this.list = document.createElement("ul");
    this.list.id = `${input.id}-offers`;
    this.list.className = "ed-offers";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", words.variables);
    this.list.hidden = true;
    input.parentElement.append(this.list);
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", this.list.id);
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.#take([...this.list.children].indexOf(option));
    });
  }

  update() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    const begun = before.match(/\{\{\s*(\w*)$/);
    this.shown = begun ? this.offers().filter((each) => each.name.startsWith(begun[1])) : [];
    this.chosen = 0;
    if (!this.shown.length) return this.close();
    this.list.replaceChildren(...this.shown.map((each, index) => offer(each, `${this.list.id}-${index}`)));
    this.list.hidden = false;
    this.#mark();
    return undefined;
  }

  close() {
    this.list.hidden = true;
    this.shown = [];
    this.input.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    if (!this.shown.length) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      this.chosen = (this.chosen + steps[event.key] + this.shown.length) % this.shown.length;
      this.#mark();
    } else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") {
      this.#take(this.chosen);
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #mark() {
    [...this.list.children].forEach((each, index) => each.setAttribute("aria-selected", String(index === this.chosen)));
    this.list.children[this.chosen].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", this.list.children[this.chosen].id);
  }

  #take(index) {
    const place = this.input.selectionStart;
    const before = this.input.value.slice(0, place).replace(/\{\{\s*\w*$/, `{{ ${this.shown[index].name} }}`);
    const after = this.input.value.slice(place).replace(/^\s*\}\}/, "");
    this.input.value = before + after;
    this.input.setSelectionRange(before.length, before.length);
    this.close();
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function offer(variable, id) {
  const option = document.createElement("li");
  option.id = id;
  option.setAttribute("role", "option");
  const name = document.createElement("b");
  name.textContent = variable.name;
  const about = document.createElement("span");
  about.textContent = [variable.type, variable.example].filter((each) => each !== null && each !== "" && each !== undefined).join(" · ");
  option.append(name, about);
  return option;
}
