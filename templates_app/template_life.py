"""Use cases of a template as a whole: make, change, duplicate, archive. Its words are the business of drafts."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from templates_app import usage
from templates_app.drafting import By, copy_contents, next_version
from templates_app.models import SampleSet, Template, TemplateVersion
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


class TemplateStale(Exception):
    """Somebody changed the template in the meantime."""


def create_template(*, code: str, by: By = None, **columns: Any) -> Template:
    """A template without words. `columns` are some of `COLUMNS`; the name defaults to the code. Raises `CodeTaken`."""
    columns = {"name": code} | _checked(columns)
    try:
        with transaction.atomic():
            return Template.objects.create(code=code, **columns)
    except IntegrityError:
        existing = Template.objects.filter(code=code).values_list("pk", flat=True).first()
        if existing is None:
            raise
        raise CodeTaken(code, existing) from None


@transaction.atomic
def change_template(template: Template, *, by: By = None, reason: str = "", **columns: Any) -> Template:
    """Set some of `COLUMNS`. Raises `CodeLocked` or `CodeTaken`; then nothing was changed."""
    template = Template.objects.select_for_update().get(pk=template.pk)
    changes = {name: value for name, value in _checked(columns).items() if getattr(template, name) != value}
    if not changes:
        return template
    if "code" in changes:
        _require_free(template, changes["code"])
    for name, value in changes.items():
        setattr(template, name, value)
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
