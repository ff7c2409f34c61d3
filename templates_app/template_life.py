"""Use cases of a template as a whole: make, change, duplicate, archive. Its words are the business of drafts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from templates_app import usage
from templates_app.drafting import By, Contents, copy_contents, new_draft_with_words, next_version, note_act
from templates_app.models import SampleSet, Template, TemplateVersion
from templates_app.publishing import publish
from users import audit
from users.locales import normalise_locale

#: What can be changed of a template; its words are in its versions.
COLUMNS = (
    *("code", "name", "description", "category_id", "default_locale", "layout"),
    *("ttl_seconds", "on_unknown", "needs_second_person", "is_archived"),
)


class CodeTaken(Exception):
    """There is a template with this code; `existing_id` is its id."""

    def __init__(self, code: str, existing_id: object) -> None:
        super().__init__(f"The code {code} is taken.")
        self.existing_id = existing_id


class CodeLocked(Exception):
    """Something was sent with this template: its code never changes any more."""


def create_template(*, code: str, by: By = None, **columns: Any) -> Template:
    """A template without words. `columns` are some of `COLUMNS`; the name defaults to the code. Raises `CodeTaken`."""
    columns = {"name": code} | _checked(columns)
    try:
        with transaction.atomic():
            template = Template.objects.create(code=code, **columns)
            note_act("template.created", template, by=by)
            return template
    except IntegrityError:
        existing = Template.objects.filter(code=code).values_list("pk", flat=True).first()
        if existing is None:
            raise
        raise CodeTaken(code, existing) from None


@transaction.atomic
def create_with_words(
    *,
    code: str,
    by: By = None,
    variables: Sequence[Mapping[str, Any]] | None = None,
    contents: Contents | None = None,
    publishes: bool = False,
    note: str = "",
    **columns: Any,
) -> Template:
    """A template with its first draft where words are given, published at once if wished: all of it or nothing.

    Raises `CodeTaken`, and what `save_draft` and `publish` raise.
    """
    template = create_template(code=code, by=by, **columns)
    if variables is None and contents is None and not publishes:
        return template
    draft = new_draft_with_words(template, by=by, variables=variables or [], contents=contents or {})
    if publishes:
        publish(draft, by=by, note=note)
    return template


def change_template(template: Template, *, by: By = None, reason: str = "", **columns: Any) -> Template:
    """Set some of `COLUMNS`. Raises `CodeLocked` or `CodeTaken`; then nothing was changed."""
    if "code" in columns:
        usage.write_uses()  # stays written when the change is refused
    return _change(template, _checked(columns), by=by, reason=reason)


@transaction.atomic
def _change(template: Template, columns: Mapping[str, Any], *, by: By, reason: str) -> Template:
    template = Template.objects.select_for_update(no_key=True).get(pk=template.pk)
    changes = {name: value for name, value in columns.items() if getattr(template, name) != value}
    if not changes:
        return template
    if "code" in changes:
        _require_free(template, changes["code"])
    before = {name: getattr(template, name) for name in changes}
    for name, value in changes.items():
        setattr(template, name, value)
    audit.note(
        who=by or "the command line", what="template.changed", about=template, before=before, after=changes, why=reason
    )
    template.save(update_fields=[*changes, "updated_at"])
    return template


def archive_template(template: Template, *, by: By = None, reason: str = "") -> Template:
    """Take it out of use: nothing can be sent with it, the code stays taken, what was sent stays readable."""
    return change_template(template, by=by, reason=reason, is_archived=True)


def restore_template(template: Template, *, by: By = None, reason: str = "") -> Template:
    """Take it out of the archive."""
    return change_template(template, by=by, reason=reason, is_archived=False)


@transaction.atomic
def duplicate_template(template: Template, *, code: str, name: str = "", by: By = None) -> Template:
    """Another template with a draft of the same words: those of the live version, or else of the draft.

    Raises `CodeTaken`.
    """
    shared = {column: getattr(template, column) for column in COLUMNS if column not in ("code", "name", "is_archived")}
    copy = create_template(code=code, name=name or f"{template.name} (copy)"[:200], by=by, **shared)
    source = template.live_version or template.versions.filter(state=TemplateVersion.State.DRAFT).first()
    if source:
        copy_contents(source, next_version(copy, by=by, variables=source.variables))
    SampleSet.objects.bulk_create(
        SampleSet(template=copy, name=each.name, variables=each.variables) for each in template.sample_sets.all()
    )
    return copy


def save_sample_set(template: Template, *, name: str, variables: Mapping[str, Any], by: By = None) -> SampleSet:
    """Keep values to look at a template with, under a name."""
    return SampleSet.objects.update_or_create(template=template, name=name, defaults={"variables": dict(variables)})[0]


def delete_sample_set(template: Template, *, name: str, by: By = None) -> None:
    """Forget them."""
    template.sample_sets.filter(name=name).delete()


def _checked(columns: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := columns.keys() - set(COLUMNS):
        raise TypeError(f"A template has no {', '.join(sorted(unknown))}.")
    given = dict(columns)
    if "default_locale" in given:
        given["default_locale"] = normalise_locale(given["default_locale"])
    return given


def _require_free(template: Template, code: str) -> None:
    if usage.was_ever_sent(template):
        raise CodeLocked(f"Something was sent as {template.code}; the code never changes any more.")
    existing = Template.objects.filter(code=code).values_list("pk", flat=True).first()
    if existing is not None:
        raise CodeTaken(code, existing)
