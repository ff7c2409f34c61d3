/* The draft as the page knows it: words by language and channel, variables, and what of it is stored already. */

export const EMAIL = ["subject", "preheader", "html", "text"];
export const PUSH = ["title", "body", "image", "link"];
export const CHANNELS = ["email", "push"];

const EMPTY = {
  email: () => ({ subject: "", preheader: "", html: "", text: "", source_format: "html" }),
  push: () => ({ title: "", body: "", image: "", link: "", data: {}, actions: [] }),
};

const copy = (value) => JSON.parse(JSON.stringify(value));
export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export class Draft extends EventTarget {
  constructor(state) {
    super();
    this.defaultLocale = state.default_locale;
    this.mayWrite = state.may_write;
    this.rightToLeft = state.right_to_left;
    this.base = state.live_number;
    this.takeStored(state.version);
    this.locale = this.locales.includes(this.defaultLocale) ? this.defaultLocale : this.locales[0];
    this.channel = this.contents[this.locale].email || !this.contents[this.locale].push ? "email" : "push";
  }

  /* What the server has stored replaces everything here. */
  takeStored(version) {
    this.number = version.number;
    this.revision = version.revision;
    this.isDraft = version.is_draft;
    this.findings = version.findings;
    this.contents = copy(version.contents);
    this.variables = copy(version.variables);
    if (!this.contents[this.defaultLocale]) this.contents[this.defaultLocale] = {};
    this.stored = { contents: copy(version.contents), variables: copy(version.variables) };
  }

  get locales() {
    const others = Object.keys(this.contents).filter((each) => each !== this.defaultLocale).sort();
    return [this.defaultLocale, ...others];
  }

  get words() {
    return this.contents[this.locale][this.channel] || null;
  }

  /* The words a translator works from; none for the source language itself. */
  get sourceWords() {
    return this.locale === this.defaultLocale ? null : this.contents[this.defaultLocale][this.channel] || null;
  }

  isRightToLeft(locale = this.locale) {
    const [language, ...rest] = locale.split("-");
    const script = rest.find((part) => part.length === 4 && /^[a-z]+$/i.test(part));
    return script ? this.rightToLeft.scripts.includes(script) : this.rightToLeft.languages.includes(language);
  }

  show(locale, channel) {
    if (!this.contents[locale]) return;
    this.locale = locale;
    this.channel = channel;
    this.dispatchEvent(new Event("shown"));
  }

  change(field, value) {
    if (!this.words || same(this.words[field], value)) return;
    this.words[field] = value;
    this.#changed();
  }

  begin() {
    this.contents[this.locale][this.channel] = EMPTY[this.channel]();
    this.#changed();
    this.dispatchEvent(new Event("shown"));
  }

  addLanguage(locale, asCopy) {
    const source = this.contents[this.defaultLocale];
    this.contents[locale] = {};
    for (const channel of CHANNELS) {
      if (source[channel]) this.contents[locale][channel] = asCopy ? copy(source[channel]) : EMPTY[channel]();
    }
    if (!asCopy && source.email) this.contents[locale].email.source_format = source.email.source_format;
    this.#changed();
    this.show(locale, this.contents[locale][this.channel] ? this.channel : "email");
  }

  remove(locale, channel = null) {
    if (channel) delete this.contents[locale][channel];
    if (!channel && locale !== this.defaultLocale) delete this.contents[locale];
    this.#changed();
    this.show(this.contents[locale] ? locale : this.defaultLocale, this.channel);
  }

  changeVariables(variables) {
    if (same(this.variables, variables)) return;
    this.variables = variables;
    this.#changed();
  }

  /* What differs from what is stored: {contents: {locale: {channel: words or null}}, variables?}; null for nothing. */
  changes() {
    const contents = {};
    const before = this.stored.contents;
    for (const locale of new Set([...Object.keys(before), ...Object.keys(this.contents)])) {
      for (const channel of CHANNELS) {
        const words = this.contents[locale]?.[channel] || null;
        if (!same(words, before[locale]?.[channel] || null)) (contents[locale] ||= {})[channel] = words;
      }
    }
    const hasVariables = !same(this.variables, this.stored.variables);
    if (!hasVariables && !Object.keys(contents).length) return null;
    return hasVariables ? { contents, variables: copy(this.variables) } : { contents };
  }

  get isDirty() {
    return this.changes() !== null;
  }

  /* The server has stored `sent`, perhaps a little differently; what was typed meanwhile stays to be saved. */
  noteStored(sent, answer) {
    Object.assign(this, { number: answer.number, revision: answer.revision, isDraft: true, findings: answer.findings });
    let isOther = false;
    for (const [locale, channels] of Object.entries(sent.contents)) {
      for (const [channel, words] of Object.entries(channels)) {
        const place = (this.stored.contents[locale] ||= {});
        const kept = answer.contents[locale]?.[channel];
        if (!kept) {
          delete place[channel];
          continue;
        }
        place[channel] = copy(kept);
        if (!same(kept, words) && same(this.contents[locale]?.[channel], words)) {
          this.contents[locale][channel] = copy(kept);
          isOther = true;
        }
      }
    }
    if (sent.variables) {
      if (same(this.variables, sent.variables)) this.variables = copy(answer.variables);
      this.stored.variables = copy(answer.variables);
    }
    if (isOther) this.dispatchEvent(new Event("shown"));
  }

  /* Three states made one: what was stored when we began, what somebody else made of it, and ours. Fields that only one
     side changed take that side; the paths of the others are returned, and `decision` says whose they become. */
  merge(theirs, decision = "mine") {
    const base = this.stored;
    const both = [];
    const choose = (path, before, other, mine) => {
      if (same(mine, before) || same(mine, other)) return other;
      if (same(other, before)) return mine;
      both.push(path);
      return decision === "mine" ? mine : other;
    };
    const contents = {};
    for (const locale of new Set([...Object.keys(theirs.contents), ...Object.keys(this.contents)])) {
      contents[locale] = {};
      for (const channel of CHANNELS) {
        const at = (state) => state.contents[locale]?.[channel];
        const path = `contents/${locale}/${channel}`;
        const words = at(theirs) && at(this)
          ? Object.fromEntries(
              Object.keys({ ...at(theirs), ...at(this) }).map((field) => [
                field,
                choose(`${path}/${field}`, at(base)?.[field], at(theirs)[field], at(this)[field]),
              ])
            )
          : choose(path, at(base), at(theirs), at(this));
        if (words) contents[locale][channel] = copy(words);
      }
      if (locale !== this.defaultLocale && !Object.keys(contents[locale]).length) delete contents[locale];
    }
    const variables = choose("variables", base.variables, theirs.variables, this.variables);
    return { contents, variables: copy(variables), both };
  }

  /* Take a merged state; what of it is not stored yet is saved next. */
  takeMerged(theirs, merged) {
    this.takeStored(theirs);
    this.contents = { [this.defaultLocale]: {}, ...merged.contents };
    this.variables = merged.variables;
    this.show(this.contents[this.locale] ? this.locale : this.defaultLocale, this.channel);
  }

  /* Where each declared or used name stands: name → ["en email subject", …]. */
  uses() {
    const found = new Map();
    for (const [locale, channels] of Object.entries(this.contents)) {
      for (const [channel, words] of Object.entries(channels)) {
        for (const [field, source] of Object.entries(words)) {
          const text = typeof source === "string" ? source : JSON.stringify(source);
          for (const name of namesIn(text)) {
            if (!found.has(name)) found.set(name, new Map());
            const place = field === "html" ? "HTML" : field;
            const locales = found.get(name).get(`${channel}, ${place}`) || [];
            found.get(name).set(`${channel}, ${place}`, [...locales, locale]);
          }
        }
      }
    }
    return found;
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}

const TAG = /\{\{(.*?)\}\}|\{%(.*?)%\}/g;
const NAME = /(?<![\w."'|-])[a-z][a-z0-9_]*/g;
const WORDS_OF_TAGS = new Set(
  "if elif else endif for endfor empty in not and or is with endwith as firstof comment endcomment reversed true false none".split(" ")
);

/* The names a source reads; what loops and `with` bind is left out. The server has the last word, in its checks. */
export function namesIn(source) {
  const names = new Set();
  const bound = new Set(["forloop"]);
  for (const [, value, tag] of source.matchAll(TAG)) {
    const bare = (value ?? tag).replace(/"[^"]*"|'[^']*'/g, "''");
    if (tag) {
      for (const [, loop] of bare.matchAll(/\bfor\s+(.+?)\s+in\b/g)) loop.split(",").forEach((each) => bound.add(each.trim()));
      for (const [, name] of bare.matchAll(/(\w+)\s*=(?!=)/g)) bound.add(name);
      for (const [, name] of bare.matchAll(/\bas\s+(\w+)/g)) bound.add(name);
    }
    const withoutFilters = bare.replace(/\|\s*\w+/g, "");
    for (const [name] of withoutFilters.matchAll(NAME)) if (!tag || !WORDS_OF_TAGS.has(name)) names.add(name);
  }
  for (const name of bound) names.delete(name);
  return names;
}
