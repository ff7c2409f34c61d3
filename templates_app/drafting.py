"""Use cases of a draft: begin one, write in it, delete it. Of two who write at once the second learns of the first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max, ProtectedError
from django.db.models.functions import Now

from templates_app import usage
from templates_app.compilation import CompilationProblem
from templates_app.layouts import made_text
from templates_app.models import Template, TemplateContent, TemplateVersion, VersionIsFixed
from templates_app.safe_engine import TemplateSyntaxProblem
from templates_app.selection import TemplateVersionNotFound
from templates_app.variables import variables_to_json
from users import audit
from users.channels import Channel
from users.locales import normalise_locale
from users.models import User

#: The columns of a content that hold words, by channel.
FIELDS = {
    Channel.EMAIL: ("subject", "preheader", "html", "source_format", "text"),
    Channel.PUSH: ("title", "body", "image", "link", "data", "actions"),
}
#: What a column holds where nothing was written; all others hold an empty text.
EMPTY: dict[str, Any] = {"data": {}, "actions": [], "source_format": TemplateContent.SourceFormat.HTML}
#: Locales of one version.
MAX_LOCALES = 60

#: Who does something: a person, or the client of an API key by its name.
By = User | str | None
#: (locale, channel) → field → words.
Contents = Mapping[tuple[str, str], Mapping[str, Any]]


class DraftExists(Exception):
    """The template has a draft already; there is one at a time."""


class RevisionStale(Exception):
    """Somebody saved the draft in the meantime: `revision` is its present one, `by` wrote it, at `at`."""

    def __init__(self, *, revision: int, by: str, at: datetime) -> None:
        super().__init__(f"The draft was saved by {by or 'somebody'} in the meantime.")
        self.revision = revision
        self.by = by
        self.at = at


class PublicationScheduled(Exception):
    """The draft is to be published at `at` as it is; call that off before changing it."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"The draft is to be published at {at:%Y-%m-%d %H:%M} UTC as it is.")
        self.at = at


class TooManyLocales(Exception):
    """A version has words in at most `MAX_LOCALES` languages."""


def note_act(what: str, template: Template, *, by: By, why: str = "", **facts: Any) -> None:
    """A line of the audit log about a template."""
    audit.note(who=by or "the command line", what=what, about=template, after=facts, why=why)


def name_of(by: By) -> str:
    """How we write down who did something: `person:<id>`, or the client's name."""
    return f"person:{by.pk}" if isinstance(by, User) else by or ""


@transaction.atomic
def new_draft(template: Template, *, by: By = None, from_version: TemplateVersion | None = None) -> TemplateVersion:
    """The next version, a copy of `from_version` or of the live one; empty for a new template. Raises `DraftExists`."""
    # Locked, so that of two editors at once the second sees the first one's draft; and read anew, for its live version.
    template = Template.objects.select_for_update(no_key=True).get(pk=template.pk)
    if template.versions.filter(state=TemplateVersion.State.DRAFT).exists():
        raise DraftExists(template.code)
    note_act("template.draft_begun", template, by=by)
    return copied_version(template, from_version or template.live_version, by=by)


@transaction.atomic
def new_draft_with_words(
    template: Template,
    *,
    by: By = None,
    from_version: int | None = None,
    variables: Sequence[Mapping[str, Any]] | None = None,
    contents: Contents | None = None,
    note: str = "",
) -> TemplateVersion:
    """A draft of the given words; without any, a copy of a version by its number, or of the live one.

    Raises `TemplateVersionNotFound` for a number that is not there, and what `new_draft` and `save_draft` raise.
    """
    if variables is None and contents is None:
        source = None if from_version is None else template.versions.filter(number=from_version).first()
        if from_version is not None and source is None:
            raise TemplateVersionNotFound(f"{template.code} version {from_version}")
        draft = new_draft(template, by=by, from_version=source)
        return save_draft(draft, by=by, note=note) if note else draft
    draft = new_draft(template, by=by)
    return save_draft(draft, by=by, variables=variables or [], contents=contents or {}, note=note, replace=True)


def copied_version(template: Template, source: TemplateVersion | None, *, by: By) -> TemplateVersion:
    """A new draft of a locked template with the words of `source`, if there is one."""
    draft = next_version(template, by=by, variables=source.variables if source else [])
    if source:
        copy_contents(source, draft)
    return draft


def next_version(template: Template, *, by: By, **columns: Any) -> TemplateVersion:
    """A stored version of a locked template with the next number."""
    highest = template.versions.aggregate(highest=Max("number"))["highest"] or 0
    return TemplateVersion.objects.create(
        template=template,
        number=highest + 1,
        created_by=by if isinstance(by, User) else None,
        writers=[name_of(by)] if by else [],
        edited_by=name_of(by),
        **columns,
    )


def copy_contents(source: TemplateVersion, target: TemplateVersion, *, is_finished: bool = False) -> None:
    """The words of one version for another, which has none yet; `is_finished` keeps also what is sent of them."""
    copies = list(source.contents.all())
    for content in copies:
        content.pk, content.version = None, target
        content._state.adding = True
        if not is_finished:
            content.compiled_html = content.compiled_text = ""
    TemplateContent.objects.bulk_create(copies)


@transaction.atomic
def save_draft(
    version: TemplateVersion,
    *,
    by: By = None,
    expected_revision: int | None = None,
    variables: Sequence[Mapping[str, Any]] | None = None,
    contents: Contents | None = None,
    note: str | None = None,
    replace: bool = False,
    keep_fields: bool = False,
) -> TemplateVersion:
    """Write in a draft; None leaves what is there. With `replace`, contents that are not given are removed.

    Of a given content the fields left out become empty, or stay with `keep_fields`. Raises `RevisionStale` when
    `expected_revision` is not the present one, `VersionIsFixed`, `PublicationScheduled`, `TooManyLocales`, or
    `ValueError` for a wrong declaration or locale; then nothing was written.
    """
    _take_turn(version, by=by, expected_revision=expected_revision)
    if variables is not None:
        version.variables = variables_to_json(variables)
    if note is not None:
        version.note = note
    version.writers = list(dict.fromkeys([*version.writers, *filter(None, [name_of(by)])]))
    version.save(update_fields=["variables", "note", "writers"])
    if contents is not None:
        _write_contents(version, contents, replace=replace, keep_fields=keep_fields)
    return version


def save_content(
    version: TemplateVersion, *, locale: str, channel: str, words: Mapping[str, Any], by: By = None
) -> TemplateContent:
    """Write the words of one locale and channel of a draft. Raises what `save_draft` raises."""
    save_draft(version, by=by, contents={(locale, channel): words})
    return version.contents.get(locale=normalise_locale(locale), channel=channel)


def save_variables(version: TemplateVersion, variables: Sequence[Mapping[str, Any]], *, by: By = None) -> None:
    """Declare the variables of a draft. Raises what `save_draft` raises."""
    save_draft(version, by=by, variables=variables)


@transaction.atomic
def remove_content(version: TemplateVersion, *, locale: str, channel: str | None = None, by: By = None) -> None:
    """Take a language, or its words for one channel, out of a draft. Raises what `save_draft` raises."""
    _take_turn(version, by=by, expected_revision=None)
    found = version.contents.filter(locale=normalise_locale(locale))
    (found.filter(channel=channel) if channel else found).delete()


@transaction.atomic
def confirm_translation(version: TemplateVersion, *, locale: str, by: By = None) -> None:
    """Say that the words of a locale still fit the default locale's as they are now. Raises like `save_draft`."""
    _take_turn(version, by=by, expected_revision=None)
    sources = _source_revisions(version)
    for content in version.contents.filter(locale=normalise_locale(locale)):
        content.source_revision = sources.get(content.channel)
        content.save(update_fields=["source_revision"])


@transaction.atomic
def delete_draft(version: TemplateVersion, *, by: By = None) -> None:
    """Throw a draft away, and the tests that were sent of it; its number is given again. Raises `VersionIsFixed`."""
    version.require_draft()
    note_act("template.draft_deleted", version.template, by=by, version=version.number)
    version.contents.all().delete()
    usage.sent_with_templates().forget_tests(version)
    try:
        version.delete()
    except ProtectedError:
        raise VersionIsFixed("A test of this draft is being sent. Try again.") from None


def _take_turn(version: TemplateVersion, *, by: By, expected_revision: int | None) -> None:
    """Raise the revision of a draft, whose present state `version` then has."""
    draft = TemplateVersion.objects.filter(pk=version.pk, state=TemplateVersion.State.DRAFT, publish_at=None)
    meant = draft if expected_revision is None else draft.filter(revision=expected_revision)
    taken = meant.update(revision=F("revision") + 1, edited_at=Now(), edited_by=name_of(by), publish_problem="")
    version.refresh_from_db()
    if taken:
        return
    if version.state != TemplateVersion.State.DRAFT:
        raise VersionIsFixed
    if version.publish_at:
        raise PublicationScheduled(version.publish_at)
    raise RevisionStale(revision=version.revision, by=version.edited_by, at=version.edited_at)


# --- contents ---------------------------------------------------------------------------------------------------------
def _write_contents(version: TemplateVersion, given: Contents, *, replace: bool, keep_fields: bool) -> None:
    words = {(normalise_locale(locale), Channel(channel)): each for (locale, channel), each in given.items()}
    stored = {(each.locale, Channel(each.channel)): each for each in version.contents.all()}
    if replace:
        gone = [stored.pop(key).pk for key in stored.keys() - words.keys()]
        version.contents.filter(pk__in=gone).delete()
    if len({locale for locale, _ in words.keys() | stored.keys()}) > MAX_LOCALES:
        raise TooManyLocales(f"A version has words in at most {MAX_LOCALES} languages.")
    default = normalise_locale(version.template.default_locale)
    # The default locale first: the translations of the same save are made of its new words.
    for locale, channel in sorted(words, key=lambda key: (key[0] != default, key)):
        content = stored.get((locale, channel))
        is_new = content is None
        content = content or TemplateContent(version=version, locale=locale, channel=channel)
        if _take_words(content, words[locale, channel], keep_fields=keep_fields) or is_new:
            source = stored.get((default, channel))
            content.source_revision = source.revision if source and locale != default else None
            content.revision += not is_new
            content.save()
            stored[locale, channel] = content


def _take_words(content: TemplateContent, words: Mapping[str, Any], *, keep_fields: bool) -> bool:
    """Whether anything differs from what was there."""
    before = {field: getattr(content, field) for field in FIELDS[Channel(content.channel)]}
    given = {**before, **words} if keep_fields else words
    after = {field: given.get(field) or EMPTY.get(field, "") for field in before}
    # A text that was made from the HTML is made anew when that changes; one that somebody wrote is theirs.
    if after.get("text") and after["text"] == before["text"] and after["html"] != before["html"]:
        after["text"] = "" if before["text"] == _made_text(before["html"], before["source_format"]) else after["text"]
    for field, value in after.items():
        setattr(content, field, value)
    return after != before


def _made_text(html: str, source_format: str) -> str:
    try:
        return made_text(html, source_format)
    except (CompilationProblem, TemplateSyntaxProblem):
        return ""


def _source_revisions(version: TemplateVersion) -> dict[str, int]:
    default = normalise_locale(version.template.default_locale)
    return dict(version.contents.filter(locale=default).values_list("channel", "revision"))
