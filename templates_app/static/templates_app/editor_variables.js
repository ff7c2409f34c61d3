/* The table of variables: what clients send, what previews show, where each is used. */

import { textElement } from "./editor_preview.js";

const ASKED = ["string", "datetime", "url"];

export class VariablesTable {
  constructor(root, draft, words) {
    Object.assign(this, { root, draft, words, isOwnChange: false });
    this.body = root.querySelector("tbody");
    this.pattern = root.querySelector("template");
    this.unknown = root.querySelector("[data-undeclared]");
    this.body.addEventListener("input", () => this.#read());
    this.body.addEventListener("change", () => this.#read());
    this.body.addEventListener("click", (event) => this.#remove(event));
    root.querySelector("[data-add]")?.addEventListener("click", () => this.add());
    this.unknown.addEventListener("click", (event) => {
      if (event.target.closest("button")) this.add(event.target.closest("button").dataset.name);
    });
    draft.addEventListener("changed", () => this.#tellUses());
    draft.addEventListener("shown", () => this.redraw());
    this.redraw();
  }

  redraw() {
    const shown = JSON.stringify(this.draft.variables);
    if (shown !== this.shown) {
      this.body.replaceChildren(...this.draft.variables.map((each) => this.#row(each)));
      this.shown = shown;
    }
    this.#tellUses();
  }

  add(name = "") {
    const row = this.#row({ name, type: /(_at|_on)$/.test(name) ? "datetime" : /(url|link)$/.test(name) ? "url" : "string", required: true });
    this.body.append(row);
    this.#read();
    row.querySelector(name ? "[name=example]" : "[name=name]").focus();
  }

  open(name) {
    const row = [...this.body.rows].find((each) => each.querySelector("[name=name]").value === name);
    (row || this.root).querySelector("input, button")?.focus();
  }

  #row(variable) {
    const row = this.pattern.content.firstElementChild.cloneNode(true);
    row.rest = { default: variable.default ?? null, fields: variable.fields };
    for (const name of ["name", "type", "description"]) row.querySelector(`[name=${name}]`).value = variable[name] ?? "";
    for (const name of ["required", "sensitive"]) row.querySelector(`[name=${name}]`).checked = Boolean(variable[name]);
    row.querySelector("[name=example]").value = shownExample(variable.example);
    for (const control of row.querySelectorAll("input, select")) {
      control.setAttribute("aria-label", `${control.dataset.label}${variable.name ? `: ${variable.name}` : ""}`);
      control.disabled = !this.draft.mayWrite;
    }
    return row;
  }

  #read() {
    const variables = [...this.body.rows].map((row) => {
      const value = (name) => row.querySelector(`[name=${name}]`).value.trim();
      const type = value("type");
      const variable = {
        name: value("name"),
        type,
        required: row.querySelector("[name=required]").checked,
        default: row.rest.default,
        example: readExample(value("example"), type),
        description: value("description"),
        sensitive: row.querySelector("[name=sensitive]").checked,
      };
      return type === "list" && row.rest.fields?.length ? { ...variable, fields: row.rest.fields } : variable;
    });
    this.shown = JSON.stringify(variables.filter((each) => each.name));
    this.draft.changeVariables(variables.filter((each) => each.name));
  }

  #remove(event) {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    const row = button.closest("tr");
    const next = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    (next?.querySelector("[name=name]") || this.root.querySelector("[data-add]"))?.focus();
    this.#read();
  }

  #tellUses() {
    const uses = this.draft.uses();
    const declared = new Set(this.draft.variables.map((each) => each.name));
    for (const row of this.body.rows) {
      const name = row.querySelector("[name=name]").value.trim();
      const places = uses.get(name);
      const told = row.querySelector("[data-uses]");
      told.textContent = places ? [...places].map(([place, locales]) => `${place} (${locales.join(", ")})`).join(" · ") : name && this.words.unused;
      told.classList.toggle("is-unused", !places);
    }
    const missing = [...uses.keys()].filter((name) => !declared.has(name));
    this.unknown.hidden = !missing.length;
    this.unknown.querySelector("[data-names]").replaceChildren(
      ...missing.map((name) => {
        const button = textElement("button", this.draft.mayWrite ? this.words.declare.replace("{name}", name) : name);
        button.type = "button";
        button.className = "nt-button";
        button.dataset.name = name;
        button.disabled = !this.draft.mayWrite;
        return button;
      })
    );
  }
}

function shownExample(example) {
  if (example === null || example === undefined) return "";
  return typeof example === "string" ? example : JSON.stringify(example);
}

/* As the type wants it; what does not fit stays text, and the server says what is wrong with it. */
function readExample(text, type) {
  if (text === "") return null;
  if (ASKED.includes(type)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
