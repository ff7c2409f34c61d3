"""Use cases of publishing: now, at a time, back to an older version. A published version never changes again."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from templates_app import layouts
from templates_app.content_checks import Finding, check_content, check_version
from templates_app.drafting import (
    FIELDS,
    By,
    DraftExists,
    PublicationScheduled,
    RevisionStale,
    copy_contents,
    name_of,
    new_draft,
    next_version,
    note_act,
    save_content,
    save_draft,
    save_variables,
)
from templates_app.models import Template, TemplateContent, TemplateVersion, VersionIsFixed
from templates_app.variables import parse_variables
from users.channels import Channel
from users.models import User

__all__ = [
    "FIELDS",
    "DraftExists",
    "NeverPublished",
    "PublicationScheduled",
    "PublishBlocked",
    "RevisionStale",
    "call_off_publication",
    "new_draft",
    "publish",
    "publish_due",
    "revert",
    "save_content",
    "save_draft",
    "save_variables",
    "schedule_publication",
]


class PublishBlocked(Exception):
    """The draft has errors; `findings` names each."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(each.detail for each in findings))
        self.findings = tuple(findings)


class NeverPublished(Exception):
    """Only a version that was published can be returned to."""


@transaction.atomic
def publish(version: TemplateVersion, *, by: By = None, note: str = "", acknowledge_breaking: bool = False) -> None:
    """Make a draft the live version: fixed from now on, used by every request that pins none.

    Text parts that are missing are made from the HTML. Publishing the live version again does nothing.
    `acknowledge_breaking`: whoever publishes knows that callers will have to send more than before.
    Raises `PublishBlocked`; `VersionIsFixed` for a retired one.
    """
    # Without the key: whoever writes in a draft refers to its template, and PostgreSQL holds it for that until the end.
    template = Template.objects.select_for_update(no_key=True).get(pk=version.template_id)
    version.refresh_from_db(from_queryset=TemplateVersion.objects.select_for_update(no_key=True))
    if version.pk == template.live_version_id:
        return
    if version.state != TemplateVersion.State.DRAFT:
        raise VersionIsFixed("This version was live before. Make a new draft of it.")
    _require_publishable(version, by=by, acknowledge_breaking=acknowledge_breaking)
    version.layout = layouts.current_layout(template.layout)
    _finish_mails(version)
    _go_live(template, version, by=by, note=note)
    note_act("template.published", template, by=by, why=note, version=version.number)


@transaction.atomic
def revert(version: TemplateVersion, *, by: By = None, note: str = "") -> TemplateVersion:
    """Make a copy of a version that was published the live one; returns the copy. History stays as it was.

    Not held up by checks: it is the way out when something is wrong. Raises `NeverPublished`.
    """
    template = Template.objects.select_for_update(no_key=True).get(pk=version.template_id)
    version.refresh_from_db()
    if version.state == TemplateVersion.State.DRAFT:
        raise NeverPublished(f"{template.code} version {version.number}")
    copy = next_version(
        template,
        by=by,
        state=TemplateVersion.State.RETIRED,
        variables=version.variables,
        layout=version.layout,
        reverted_from=version,
    )
    copy_contents(version, copy, is_finished=True)
    _go_live(template, copy, by=by, note=note)
    note_act("template.reverted", template, by=by, why=note, version=copy.number, copy_of=version.number)
    return copy


@transaction.atomic
def schedule_publication(
    version: TemplateVersion, *, at: datetime, by: By = None, note: str = "", acknowledge_breaking: bool = False
) -> None:
    """Let a draft be published at a moment; until then it cannot be changed. Raises like `publish`."""
    version.require_draft()
    _require_publishable(version, by=by, acknowledge_breaking=acknowledge_breaking)
    version.publish_at, version.publish_asked_by, version.publish_problem = at, name_of(by), ""
    version.publish_acknowledged, version.note = acknowledge_breaking, note or version.note
    version.save(update_fields=["publish_at", "publish_asked_by", "publish_problem", "publish_acknowledged", "note"])
    note_act("template.publication_scheduled", version.template, by=by, why=note, version=version.number, at=at)


@transaction.atomic
def call_off_publication(version: TemplateVersion, *, by: By = None) -> None:
    """A draft is not published by itself after all. Raises `VersionIsFixed` when it was."""
    version.require_draft()
    version.publish_at = None
    version.save(update_fields=["publish_at"])
    note_act("template.publication_called_off", version.template, by=by, version=version.number)


def publish_due(*, limit: int) -> int:
    """Publish the drafts whose time has come; returns how many were looked at.

    One that has errors by now stays a draft and says why in `publish_problem`.
    """
    due = TemplateVersion.objects.filter(state=TemplateVersion.State.DRAFT, publish_at__lte=Now())
    found = list(due.select_related("template").order_by("publish_at")[:limit])
    for version in found:
        _publish_at_its_time(version)
    return len(found)


@transaction.atomic
def _publish_at_its_time(version: TemplateVersion) -> None:
    # Whoever is first takes it; nobody publishes what was called off a moment ago.
    taken = TemplateVersion.objects.filter(pk=version.pk, publish_at=version.publish_at).update(publish_at=None)
    if not taken:
        return
    try:
        publish(version, by=version.publish_asked_by, acknowledge_breaking=version.publish_acknowledged)
    except (PublishBlocked, VersionIsFixed) as refused:
        TemplateVersion.objects.filter(pk=version.pk).update(publish_problem=str(refused))
        note_act("template.publication_failed", version.template, by="the sweeper", why=str(refused))


def _require_publishable(version: TemplateVersion, *, by: By, acknowledge_breaking: bool) -> None:
    found = check_version(version, publisher=name_of(by))
    errors = [
        each
        for each in found
        if each.level == "error" and not (acknowledge_breaking and each.code == "breaking_change")
    ]
    if errors:
        raise PublishBlocked(errors)


def _finish_mails(version: TemplateVersion) -> None:
    for content in version.contents.filter(channel=Channel.EMAIL):
        if not content.text:
            _make_text(content, version)
        layouts.compile_content(content, version.layout)
        content.save(update_fields=["text", "compiled_html", "compiled_text"])


def _make_text(content: TemplateContent, version: TemplateVersion) -> None:
    """Looked at by itself: a tag that stood half inside a hidden element has lost its other half in the text."""
    content.text = layouts.made_text(content.html, content.source_format)
    found = check_content(content, parse_variables(version.variables)).findings
    if errors := [each for each in found if each.level == "error"]:
        raise PublishBlocked(errors)


def _go_live(template: Template, version: TemplateVersion, *, by: By, note: str) -> None:
    template.versions.filter(state=TemplateVersion.State.PUBLISHED).update(state=TemplateVersion.State.RETIRED)
    version.state, version.note = TemplateVersion.State.PUBLISHED, note or version.note
    if version.created_by is None and isinstance(by, User):
        version.created_by = by
    version.published_at, version.published_by, version.publish_at = Now(), name_of(by), None
    version.save(update_fields=["state", "note", "created_by", "published_at", "published_by", "publish_at", "layout"])
    version.refresh_from_db(fields=["published_at"])
    template.live_version = version
    template.save(update_fields=["live_version", "updated_at"])
