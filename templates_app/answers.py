"""Templates, versions and findings as the API shows them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.urls import reverse

from templates_app.comparison import Comparison
from templates_app.content_checks import check_version
from templates_app.drafting import FIELDS
from templates_app.findings import Finding
from templates_app.models import Template, TemplateContent, TemplateVersion
from templates_app.rendering import RenderedEmail, RenderedPush
from users.channels import Channel

#: Shown only where they say something.
QUIET_FIELDS = {"source_format": TemplateContent.SourceFormat.HTML, "actions": []}


def shown_templates() -> QuerySet[Template]:
    """Templates with all that their answers tell: three queries, however many there are."""
    drafts = TemplateVersion.objects.filter(state=TemplateVersion.State.DRAFT).only("number", "template_id", "revision")
    languages = TemplateContent.objects.only("version_id", "locale", "channel")
    return Template.objects.select_related("live_version").prefetch_related(
        Prefetch("versions", queryset=drafts, to_attr="drafts"),
        Prefetch("live_version__contents", queryset=languages, to_attr="languages"),
    )


def template_answer(template: Template) -> dict[str, Any]:
    """One of `shown_templates`."""
    live, [draft] = template.live_version, template.drafts or [None]  # type: ignore[attr-defined]  # fetched with it
    languages = live.languages if live else []  # type: ignore[attr-defined]  # the same
    return {
        "id": template.pk,
        "code": template.code,
        "name": template.name,
        "description": template.description,
        "category": template.category_id,
        "default_locale": template.default_locale,
        "layout": template.layout,
        "ttl_seconds": template.ttl_seconds,
        "on_unknown": template.on_unknown,
        "status": template.status,
        "live_version": live.number if live else None,
        "draft_version": draft.number if draft else None,
        "channels": sorted({each.channel for each in languages}),
        "locales": sorted({each.locale for each in languages}),
        "variables": live.variables if live else [],
        "created_at": template.created_at,
        "updated_at": template.updated_at,
        "links": {
            "self": reverse("template", args=[template.code]),
            "versions": reverse("template-versions", args=[template.code]),
            "preview": reverse("template-preview", args=[template.code]),
        },
    }


def version_line(version: TemplateVersion) -> dict[str, Any]:
    """A version in a list: without its contents."""
    makers = [*version.writers[:1], *([f"person:{version.created_by_id}"] if version.created_by_id else [])]
    return {
        "version": version.number,
        "state": version.state,
        "note": version.note,
        "created_by": makers[0] if makers else None,
        "created_at": version.created_at,
        "published_at": version.published_at,
        "sent_count": version.sent_count,
        "variables": version.variables,
    }


def version_answer(version: TemplateVersion) -> dict[str, Any]:
    """A version in full, checked."""
    contents: dict[str, dict[str, Any]] = {}
    for content in version.contents.all():
        contents.setdefault(content.locale, {})[content.channel] = content_answer(content)
    return version_line(version) | {"contents": contents, "findings": findings_answer(check_version(version))}


def content_answer(content: TemplateContent) -> dict[str, Any]:
    """The words of one locale and channel."""
    fields = {field: getattr(content, field) for field in FIELDS[Channel(content.channel)]}
    return {name: value for name, value in fields.items() if name not in QUIET_FIELDS or value != QUIET_FIELDS[name]}


def findings_answer(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """In the order they were found."""
    return [each.to_json() for each in findings]


def comparison_answer(compared: Comparison, *, before: int, after: int) -> dict[str, Any]:
    """What differs between two versions."""
    return {
        "from": before,
        "to": after,
        "changes": [{"path": each.path, "from": each.before, "to": each.after} for each in compared.changes],
        "variables_added": compared.variables_added,
        "variables_removed": compared.variables_removed,
        "variables_now_required": compared.variables_now_required,
    }


def rendered_answer(rendered: RenderedEmail | RenderedPush) -> dict[str, Any]:
    """The words with their values."""
    if isinstance(rendered, RenderedEmail):
        names = ("subject", "preheader", "html", "text")
        return {name: getattr(rendered, name) for name in names}
    shown = {name: getattr(rendered, name) for name in ("title", "body", "image", "link")}
    buttons = {"actions": [dict(each) for each in rendered.actions]} if rendered.actions else {}
    return shown | {"data": dict(rendered.data)} | buttons
