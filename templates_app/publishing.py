"""Use cases of a version's life: draft, write, publish. A published version never changes again."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from templates_app.content_checks import Finding, check_version
from templates_app.locales import normalise_locale
from templates_app.models import Template, TemplateContent, TemplateVersion, VersionIsFixed
from templates_app.text_part import text_from_html
from templates_app.variables import variables_to_json
from users.channels import Channel
from users.models import User

#: The columns of a content that hold words, by channel.
FIELDS = {
    Channel.EMAIL: ("subject", "preheader", "html", "text"),
    Channel.PUSH: ("title", "body", "image", "link", "data"),
}


class PublishBlocked(Exception):
    """The draft has errors; `findings` names each."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(each.detail for each in findings))
        self.findings = tuple(findings)


class DraftExists(Exception):
    """The template has a draft already; there is one at a time."""


@transaction.atomic
def new_draft(
    template: Template, *, by: User | None = None, from_version: TemplateVersion | None = None
) -> TemplateVersion:
    """The next version, a copy of `from_version` or of the live one; empty for a new template. Raises `DraftExists`."""
    # Locked, so that of two editors at once the second sees the first one's draft; and read anew, for its live version.
    template = Template.objects.select_for_update().get(pk=template.pk)
    if template.versions.filter(state=TemplateVersion.State.DRAFT).exists():
        raise DraftExists(template.code)
    source = from_version or template.live_version
    highest = template.versions.aggregate(highest=Max("number"))["highest"] or 0
    draft = TemplateVersion.objects.create(
        template=template, number=highest + 1, created_by=by, variables=source.variables if source else []
    )
    for content in source.contents.all() if source else ():
        content.pk, content.version = None, draft
        content._state.adding = True
        content.save()
    return draft


@transaction.atomic
def save_content(version: TemplateVersion, *, locale: str, channel: str, words: Mapping[str, Any]) -> TemplateContent:
    """Write the words of one locale and channel of a draft. Fields left out become empty. Raises `VersionIsFixed`."""
    fields = FIELDS[Channel(channel)]
    locale = normalise_locale(locale)
    content = version.contents.filter(locale=locale, channel=channel).first() or TemplateContent(
        version=version, locale=locale, channel=channel
    )
    for field in fields:
        setattr(content, field, words.get(field) or ({} if field == "data" else ""))
    content.save()
    return content


@transaction.atomic
def save_variables(version: TemplateVersion, variables: Sequence[Mapping[str, Any]]) -> None:
    """Declare the variables of a draft. Raises `VersionIsFixed`, or `ValueError` for a wrong declaration."""
    version.require_draft()
    version.variables = variables_to_json(variables)
    version.save(update_fields=["variables"])


@transaction.atomic
def publish(version: TemplateVersion, *, by: User | None = None, note: str = "") -> None:
    """Make a draft the live version: fixed from now on, used by every request that pins none.

    Text parts that are missing are made from the HTML. Publishing the live version again does nothing.
    Raises `PublishBlocked`; `VersionIsFixed` for a retired one.
    """
    template = Template.objects.select_for_update().get(pk=version.template_id)
    version.refresh_from_db(from_queryset=TemplateVersion.objects.select_for_update())
    if version.pk == template.live_version_id:
        return
    if version.state != TemplateVersion.State.DRAFT:
        raise VersionIsFixed("This version was live before. Make a new draft of it.")
    _require_publishable(version)
    for content in version.contents.filter(channel=Channel.EMAIL, text=""):
        content.text = text_from_html(content.html)
        content.save(update_fields=["text"])
    # Once more: a tag that stood half inside a hidden element has lost its other half in the text.
    _require_publishable(version)
    template.versions.filter(state=TemplateVersion.State.PUBLISHED).update(state=TemplateVersion.State.RETIRED)
    version.state, version.note = TemplateVersion.State.PUBLISHED, note or version.note
    if version.created_by is None:
        version.created_by = by
    version.published_at = Now()
    version.save(update_fields=["state", "note", "created_by", "published_at"])
    version.refresh_from_db(fields=["published_at"])
    template.live_version = version
    template.save(update_fields=["live_version", "updated_at"])


def _require_publishable(version: TemplateVersion) -> None:
    if errors := [each for each in check_version(version) if each.level == "error"]:
        raise PublishBlocked(errors)
