/* The template editor: words on the left, the message as a person gets it on the right. */

import { CodeField } from "./editor_code.js";
import { Draft, EMAIL, PUSH } from "./editor_draft.js";
import { MarkedField } from "./editor_fields.js";
import { Languages } from "./editor_languages.js";
import { Preview, textElement } from "./editor_preview.js";
import { Rows } from "./editor_rows.js";
import { Samples } from "./editor_samples.js";
import { Saving } from "./editor_saving.js";
import { post } from "./editor_server.js";
import { TestSend } from "./editor_test_send.js";
import { VariablesTable } from "./editor_variables.js";

const root = document.getElementById("editor");
const state = JSON.parse(document.getElementById("editor-state").textContent);
const { words } = state;
const one = (selector) => root.querySelector(selector);
const all = (selector) => [...root.querySelectorAll(selector)];

const draft = new Draft(state);
const fields = new Map();
let html = null;

function makeFields() {
  const helpers = {
    isKnown: (name) => draft.variables.some((each) => each.name === name) || name === "forloop",
    offers: () => draft.variables,
    words,
  };
  for (const box of all("[data-field]")) {
    const name = box.dataset.field;
    const field = new MarkedField(box, { ...helpers, onChange: (value) => draft.change(name, value) });
    field.box = box;
    field.input.readOnly = !draft.mayWrite;
    fields.set(name, field);
    if (name === "html") {
      html = new CodeField(box, field, {
        ...helpers,
        onChange: (value) => draft.change("html", value),
        isReadOnly: !draft.mayWrite,
        label: words.html,
      });
    }
  }
  // Names that are declared by now lose their red.
  draft.addEventListener("changed", () => fields.forEach((field) => field.redraw()));
}

function showWords() {
  const { channel, sourceWords } = draft;
  const isRightToLeft = draft.isRightToLeft();
  for (const panel of all("[data-panel]")) panel.hidden = panel.dataset.panel !== channel || !draft.words;
  one("[data-nothing]").hidden = Boolean(draft.words);
  one("[data-nothing-channel]").textContent = words[`nothing_${channel}`].replace("{language}", languages.nameOf(draft.locale));
  for (const name of channel === "email" ? EMAIL : PUSH) {
    const field = fields.get(name);
    const text = draft.words?.[name] || "";
    for (const element of [field.input, field.marks]) {
      element.dir = isRightToLeft ? "rtl" : "ltr";
      element.lang = draft.locale;
    }
    if (name === "html") html.show(text, isRightToLeft);
    else field.value = text;
    showSource(field.box, sourceWords?.[name]);
  }
  one("[data-source-toggle]").hidden = draft.locale === draft.defaultLocale;
  if (draft.words && channel === "email") one("[name=source_format]").value = draft.words.source_format;
  rows.forEach((each) => each.show());
  tellCounts();
  showFindings();
}

function showSource(box, text) {
  const place = box.querySelector("[data-source]");
  const isShown = Boolean(text) && one("[data-source-toggle] input").checked;
  place.hidden = !isShown;
  if (!isShown) return;
  place.querySelector("[data-source-words]").textContent = text;
  place.querySelector("[data-source-words]").dir = draft.isRightToLeft(draft.defaultLocale) ? "rtl" : "ltr";
}

/* Counters of what lists and locked screens cut: a placeholder counts as its example. */
function tellCounts() {
  if (!draft.words) return;
  const examples = new Map(draft.variables.map((each) => [each.name, String(each.example ?? each.name)]));
  for (const counter of all("[data-count]")) {
    const text = (draft.words[counter.dataset.count] || "").replace(/\{\{\s*(\w+)[^}]*\}\}/g, (tag, name) => examples.get(name) ?? name);
    const length = [...text.replace(/\{%.*?%\}/g, "")].length;
    counter.textContent = `${length} / ${counter.dataset.most}`;
    counter.classList.toggle("is-over", length > Number(counter.dataset.most));
    counter.title = length > Number(counter.dataset.most) ? words.may_be_cut : "";
  }
}

function showFindings() {
  const list = one("[data-findings]");
  const errors = draft.findings.filter((each) => each.level === "error").length;
  one("[data-findings-count]").textContent = errors ? words.errors.replace("{n}", errors) : words.no_errors;
  one("[data-findings-count]").className = `nt-chip ${errors ? "nt-danger" : "nt-success"}`;
  list.replaceChildren(
    ...draft.findings.map((each) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `ed-finding is-${each.level}`;
      button.append(textElement("b", each.where), textElement("span", each.detail));
      button.addEventListener("click", () => openFinding(each.path, each.line));
      const item = document.createElement("li");
      item.append(button);
      return item;
    })
  );
  one("[data-findings-count]").hidden = !draft.number;
  one("[data-all-well]").hidden = draft.findings.length > 0 || !draft.number;
  const own = `contents/${draft.locale}/${draft.channel}/`;
  const here = draft.findings.filter((each) => each.path.startsWith(own));
  for (const [name, field] of fields) {
    const found = here.filter((each) => each.path.slice(own.length).split("/")[0] === name);
    field.box.classList.toggle("is-wrong", found.some((each) => each.level === "error"));
    const told = field.box.querySelector("[data-told]");
    told.textContent = found.filter((each) => each.level === "error").map((each) => each.detail).join(" ");
    told.hidden = !told.textContent;
  }
  html.annotate(here.filter((each) => each.path.endsWith("/html")));
}

function openFinding(path, line) {
  const [kind, name, channel, field] = path.split("/");
  if (kind === "variables") {
    table.open(name);
    return;
  }
  if (draft.contents[name] && (name !== draft.locale || (channel && channel !== draft.channel))) draft.show(name, channel || draft.channel);
  const place = fields.get(field);
  (place?.box || rows.find((each) => each.name === field)?.root || one("#ed-write")).scrollIntoView({ block: "center" });
  if (field === "html") html.focus(line);
  else if (place) place.input.focus();
}

function showVersion() {
  const chip = one("[data-version]");
  const live = state.live_number ? words.live.replace("{n}", state.live_number) : words.none_live;
  const stored = draft.number ? `v${draft.number} ${words[state.version.state]}` : words.not_begun;
  chip.textContent = draft.isDraft ? `v${draft.number} ${words.draft} (${live})` : stored;
  chip.className = `nt-chip ${draft.isDraft ? "nt-warning" : draft.number ? "nt-success" : "nt-plain"}`;
  for (const link of all("[data-needs-draft]")) link.hidden = !draft.isDraft && !draft.isDirty;
}

function groups() {
  for (const group of all("[data-choice]")) {
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-value]");
      if (!button) return;
      for (const each of group.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
      const { value } = button.dataset;
      if (group.dataset.choice === "scheme") preview.choose({ scheme: value });
      else root.querySelector("[data-preview]").dataset[group.dataset.choice] = value;
    });
  }
}

function keys() {
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.key.toLowerCase() === "s") {
      event.preventDefault();
      if (draft.mayWrite) saving.save();
    } else if (event.key === "Enter" && !event.target.closest("dialog")) {
      event.preventDefault();
      preview.ask(0);
    }
  });
}

/* Buttons that lead to pages about what is stored: first it is stored. */
function leads() {
  for (const link of all("[data-saves-first]")) {
    link.addEventListener("click", async (event) => {
      if (!draft.isDirty || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (await saving.save()) location.assign(link.href);
    });
  }
  one("[data-save]")?.addEventListener("click", () => saving.save());
  one("[data-begin]")?.addEventListener("click", () => draft.begin());
  one("[data-make-text]")?.addEventListener("click", async () => {
    try {
      const { text } = await post(state.urls.text, { html: draft.words.html });
      fields.get("text").value = text;
      draft.change("text", text);
    } catch (error) {
      const told = fields.get("text").box.querySelector("[data-told]");
      told.textContent = error.answer?.detail || words.away;
      told.hidden = false;
    }
  });
  one("[name=source_format]").addEventListener("change", (event) => draft.change("source_format", event.target.value));
  one("[data-source-toggle] input").addEventListener("change", showWords);
  for (const button of all("[data-take-source]")) {
    button.addEventListener("click", () => {
      const name = button.closest("[data-field]").dataset.field;
      draft.change(name, draft.sourceWords[name]);
      showWords();
    });
  }
}

makeFields();
const languages = new Languages(root, draft, words);
const rows = all("[data-rows]").map((element) => new Rows(element, draft));
const table = new VariablesTable(one("[data-variables]"), draft, words);
const preview = new Preview(one("[data-preview]"), draft, { url: state.urls.preview, words, openFinding });
const samples = new Samples(one("[data-samples]"), draft, preview, { samples: state.samples, url: state.urls.samples, words });
const saving = new Saving(root, draft, {
  url: state.urls.save,
  words,
  onSaved() {
    languages.redraw();
    showFindings();
    showVersion();
  },
});
if (one("[data-send-test]")) new TestSend(root, draft, { url: state.urls.test, words, saving, samples });
draft.addEventListener("shown", showWords);
draft.addEventListener("changed", tellCounts);
draft.addEventListener("changed", showVersion);
groups();
keys();
leads();
showWords();
showVersion();
samples.redraw();
preview.ask(0);
root.dataset.ready = "yes";
