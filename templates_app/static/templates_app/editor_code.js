/* The HTML source: the Ace editor where there is room for it, the plain field on phones and for right-to-left. */

const NARROW = matchMedia("(max-width: 700px)");
const LIGHT = "ace/theme/github";
const DARK = "ace/theme/tomorrow_night";

export class CodeField {
  constructor(box, plain, { offers, onChange, isReadOnly, label }) {
    Object.assign(this, { box, plain, isReadOnly, isRightToLeft: false, muted: false });
    this.holder = box.querySelector("[data-ace]");
    this.ace = window.ace ? this.#makeAce(offers, onChange, label) : null;
    NARROW.addEventListener("change", () => this.#choose());
    this.#choose();
  }

  get usesAce() {
    return Boolean(this.ace) && !this.isRightToLeft && !NARROW.matches;
  }

  show(text, isRightToLeft) {
    this.isRightToLeft = isRightToLeft;
    this.plain.value = text;
    this.#choose();
  }

  focus(line = null) {
    if (this.usesAce) {
      this.ace.focus();
      if (line) this.ace.gotoLine(line, 0, false);
      return;
    }
    const input = this.plain.input;
    input.focus();
    if (!line) return;
    const lines = input.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    input.setSelectionRange(start, start + (lines[line - 1] || "").length);
    input.scrollTop = (input.scrollHeight / lines.length) * Math.max(line - 4, 0);
  }

  /* Red and yellow marks beside the lines. */
  annotate(findings) {
    this.ace?.getSession().setAnnotations(
      findings.map((each) => ({ row: (each.line || 1) - 1, column: 0, text: each.detail, type: each.level }))
    );
  }

  #choose() {
    const isAce = this.usesAce;
    this.holder.hidden = !isAce;
    this.plain.input.closest("[data-plain]").hidden = isAce;
    if (isAce && this.ace.getValue() !== this.plain.value) {
      this.muted = true;
      this.ace.setValue(this.plain.value, -1);
      this.ace.getSession().getUndoManager().reset();
      this.muted = false;
    }
    if (isAce) this.ace.resize();
  }

  #makeAce(offers, onChange, label) {
    const { ace } = window;
    const made = ace.edit(this.holder.firstElementChild);
    made.session.setUseWorker(false);
    made.session.setMode("ace/mode/django");
    made.setOptions({
      readOnly: this.isReadOnly,
      fontSize: 13,
      tabSize: 2,
      useSoftTabs: true,
      wrap: true,
      indentedSoftWrap: false,
      minLines: 18,
      maxLines: 34,
      showPrintMargin: false,
      enableBasicAutocompletion: true,
      enableLiveAutocompletion: true,
      enableKeyboardAccessibility: true,
      textInputAriaLabel: label,
      scrollPastEnd: 0.1,
    });
    made.completers = [completer(offers)];
    made.commands.removeCommands(["showSettingsMenu", "gotoline"]);
    made.session.on("change", () => {
      if (this.muted) return;
      this.plain.value = made.getValue();
      onChange(made.getValue());
    });
    const dress = () => made.setTheme(document.documentElement.classList.contains("dark") ? DARK : LIGHT);
    new MutationObserver(dress).observe(document.documentElement, { attributeFilter: ["class"] });
    dress();
    return made;
  }
}

/* Variables behind {{, and nothing else: the words of the mail are no code. */
function completer(offers) {
  return {
    triggerCharacters: ["{"],
    identifierRegexps: [/[a-z0-9_]/],
    getCompletions(editor, session, position, prefix, answer) {
      const before = session.getLine(position.row).slice(0, position.column);
      if (!/\{\{\s*\w*$/.test(before)) return answer(null, []);
      return answer(null, offers().map((each) => ({ value: each.name, caption: each.name, meta: each.type, score: 1000, completer: this })));
    },
    insertMatch(editor, chosen) {
      const { row, column } = editor.getCursorPosition();
      const line = editor.session.getLine(row);
      const start = line.slice(0, column).search(/\{\{\s*\w*$/);
      const end = column + line.slice(column).match(/^\s*(\}\})?/)[0].length;
      editor.session.replace({ start: { row, column: start }, end: { row, column: end } }, `{{ ${chosen.value} }}`);
    },
  };
}
