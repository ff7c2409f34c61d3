"""Use cases: the words of one language to translators and back, as a PO or CSV file with the source beside them."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po, write_po
from django.db import transaction

from templates_app import drafting
from templates_app.drafting import By
from templates_app.models import Template, TemplateContent, TemplateVersion
from users.channels import Channel
from users.locales import normalise_locale

Format = Literal["po", "csv"]
#: What is translated of a content; addresses and data are the same for all, or the business of the editor.
WORDS = {Channel.EMAIL: ("subject", "preheader", "html", "text"), Channel.PUSH: ("title", "body")}
CSV_COLUMNS = ("template", "locale", "field", "source", "translation", "is_outdated")
TEMPLATE_HEADER, LOCALE_HEADER = "X-Template", "X-Locale"
#: A spreadsheet takes what begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t")


class TranslationsInvalid(ValueError):
    """The file cannot be read as translations; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of a content in the source language and in another."""

    #: Such as email/subject.
    field: str
    source: str
    translation: str
    #: The source changed after the translation was written.
    is_outdated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Translations:
    """What a file holds: the words of one template in one locale."""

    code: str
    locale: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a file did, or would do: fields by their name."""

    code: str
    locale: str
    #: The draft that was written; None when nothing had to be.
    version: int | None
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    #: Left out because the source is another by now: the translation may not fit.
    stale: tuple[str, ...]
    #: Left out because there is no such field in the source language.
    unknown: tuple[str, ...]


# --- out --------------------------------------------------------------------------------------------------------------
def translations_of(template: Template, *, locale: str) -> Translations:
    """The words of the draft, or of the live version where there is none, beside those of a locale."""
    version = template.versions.filter(state=TemplateVersion.State.DRAFT).first() or template.live_version
    locale = normalise_locale(locale)
    entries = tuple(_entries(version, template.default_locale, locale)) if version else ()
    return Translations(code=template.code, locale=locale, entries=entries)


def export_translations(template: Template, *, locale: str, form: Format) -> str:
    """The file for a translator."""
    found = translations_of(template, locale=locale)
    return _as_po(found) if form == "po" else _as_csv(found)


def _entries(version: TemplateVersion, default: str, locale: str) -> Iterator[Entry]:
    contents = {(each.locale, each.channel): each for each in version.contents.all()}
    for channel, fields in WORDS.items():
        source, translation = contents.get((default, channel)), contents.get((locale, channel))
        for field in fields if source else ():
            if words := getattr(source, field):
                yield Entry(
                    field=f"{channel}/{field}",
                    source=words,
                    translation=getattr(translation, field) if translation else "",
                    is_outdated=_is_outdated(translation, source),
                )


def _is_outdated(translation: TemplateContent | None, source: TemplateContent | None) -> bool:
    if translation is None or source is None or translation.source_revision is None:
        return False
    return translation.source_revision < source.revision


def _as_po(found: Translations) -> str:
    catalog = Catalog(fuzzy=False)
    for each in found.entries:
        flags = {"fuzzy"} if each.is_outdated else set()
        catalog.add(each.source, each.translation, context=each.field, flags=flags)
    written = io.BytesIO()
    write_po(written, catalog, width=0, omit_header=True)
    # Babel's own header has no room for the template's code.
    header = [
        f"{TEMPLATE_HEADER}: {found.code}",
        f"{LOCALE_HEADER}: {found.locale}",
        f"Language: {found.locale.split('-')[0]}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    lines = "".join(f'"{line}\\n"\n' for line in header)
    return f'msgid ""\nmsgstr ""\n{lines}\n{written.getvalue().decode()}'


def _as_csv(found: Translations) -> str:
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(CSV_COLUMNS)
    for each in found.entries:
        cells = (_cell(each.source), _cell(each.translation), "yes" if each.is_outdated else "")
        rows.writerow((found.code, found.locale, each.field, *cells))
    # Spreadsheets recognise UTF-8 by it.
    return "\ufeff" + written.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith((*FORMULA, "'")) else text


# --- in ---------------------------------------------------------------------------------------------------------------
def read_translations(text: str) -> Translations:
    """What a file holds; PO or CSV is seen by itself. Raises `TranslationsInvalid`."""
    text = text.removeprefix("\ufeff")
    return _from_csv(text) if text.startswith(CSV_COLUMNS[0]) else _from_po(text)


def import_translations(given: Translations, *, by: By = None, dry_run: bool = False) -> Taken:
    """Write the words into the draft, which is begun when there is none. Empty and fuzzy entries stay as they are.

    Raises `TranslationsInvalid` for a template that does not exist, and what `drafting.save_draft` raises.
    """
    template = Template.objects.filter(code=given.code).select_related("live_version").first()
    if template is None:
        raise TranslationsInvalid(f"There is no template {given.code}.")
    if given.locale == template.default_locale:
        raise TranslationsInvalid(f"{given.locale} is the language it is translated from.")
    now = {each.field: each for each in translations_of(template, locale=given.locale).entries}
    said = [each for each in given.entries if each.translation and not each.is_outdated]
    known = [each for each in said if each.field in now]
    fitting = [each for each in known if each.source == now[each.field].source]
    changed = [each for each in fitting if each.translation != now[each.field].translation]
    confirmed = [each for each in fitting if each not in changed and now[each.field].is_outdated]
    version = None if dry_run or not (changed or confirmed) else _write(template, given.locale, changed, by=by)
    return Taken(
        code=template.code,
        locale=given.locale,
        version=version.number if version else None,
        changed=tuple(each.field for each in changed),
        unchanged=tuple(each.field for each in fitting if each not in changed),
        stale=tuple(each.field for each in known if each not in fitting),
        unknown=tuple(each.field for each in said if each.field not in now),
    )


@transaction.atomic
def _write(template: Template, locale: str, changed: list[Entry], *, by: By) -> TemplateVersion:
    draft = template.versions.filter(state=TemplateVersion.State.DRAFT).first()
    draft = draft or drafting.new_draft(template, by=by)
    contents: dict[tuple[str, str], dict[str, str]] = {}
    for each in changed:
        channel, _, field = each.field.partition("/")
        contents.setdefault((locale, channel), {})[field] = each.translation
    drafting.save_draft(draft, by=by, contents=contents, keep_fields=True)
    # Whoever sends translations back has read the source they were sent.
    drafting.confirm_translation(draft, locale=locale, by=by)
    return draft


def _from_po(text: str) -> Translations:
    try:
        catalog = read_po(io.StringIO(text), abort_invalid=True)
    except (PoFileError, ValueError, UnicodeError) as error:
        raise TranslationsInvalid(f"This is no PO file: {error}") from error
    headers = dict(line.split(": ", 1) for line in _header_of(text) if ": " in line)
    entries = tuple(
        Entry(field=each.context, source=str(each.id), translation=str(each.string), is_outdated=each.fuzzy)
        for each in catalog
        if each.id and each.context
    )
    return _checked(headers.get(TEMPLATE_HEADER, ""), headers.get(LOCALE_HEADER, ""), entries)


def _header_of(text: str) -> list[str]:
    """The lines of the first entry, which translation programs keep, with their own among them."""
    first = text.lstrip().replace("\r\n", "\n").split("\n\n", 1)[0]
    return [line.strip().strip('"').removesuffix("\\n") for line in first.splitlines() if line.startswith('"')]


def _from_csv(text: str) -> Translations:
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if not rows or set(CSV_COLUMNS[:5]) - set(rows[0]):
        raise TranslationsInvalid(f"The first row must name the columns {', '.join(CSV_COLUMNS)}.")
    if len({(row["template"], row["locale"]) for row in rows}) > 1:
        raise TranslationsInvalid("A file holds one template in one locale.")
    entries = tuple(
        Entry(
            field=row["field"],
            source=_uncell(row["source"]),
            translation=_uncell(row["translation"] or ""),
            is_outdated=bool(row.get("is_outdated")),
        )
        for row in rows
    )
    return _checked(rows[0]["template"], rows[0]["locale"], entries)


def _uncell(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith((*FORMULA, "'")) else text


def _checked(code: str, locale: str, entries: tuple[Entry, ...]) -> Translations:
    if not code:
        raise TranslationsInvalid("The file names no template.")
    try:
        return Translations(code=code, locale=normalise_locale(locale), entries=entries)
    except ValueError as error:
        raise TranslationsInvalid(f"The file names no locale: {error}") from error
