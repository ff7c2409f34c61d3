"""The versions of a template: who made which, when and why; any two side by side; one mail alone in its frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from templates_app import layouts
from templates_app.comparison import Comparison, compare_versions
from templates_app.live_preview import Problem, render_content
from templates_app.mail_frame import mail_frame
from templates_app.models import Template, TemplateContent, TemplateVersion
from templates_app.rendering import RenderedEmail
from templates_app.sample_data import example_values
from templates_app.staff_views import PUBLISH, VIEW, find_template, needs, routes, show_page, staff_view
from templates_app.variables import parse_variables
from templates_app.word_changes import Change, word_changes
from templates_app.writers import names_of
from users.channels import Channel

#: Versions on one page.
LATEST = 100


def version_urls() -> list[URLPattern]:
    """The routes of these pages."""
    frame = path(
        "<uuid:template_id>/preview/<int:content_id>/",
        staff_view(xframe_options_sameorigin(frame_view)),
        name="templates_app_template_frame",
    )
    return [*routes({"versions/": versions, "compare/": compare}), frame]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field of one language and channel that is not the same in two versions."""

    locale: str
    channel: str
    field: str
    pieces: list[Change]


@needs(VIEW)
def versions(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """All of them, newest first."""
    template = find_template(template_id)
    found = list(template.versions.select_related("reverted_from").defer("variables")[:LATEST])
    people = names_of(name for each in found for name in [*each.writers, each.published_by])
    rows = [
        {
            "version": each,
            "writers": ", ".join(people[name] for name in each.writers if name in people),
            "publisher": people.get(each.published_by, ""),
            "before": found[index + 1].number if index + 1 < len(found) else None,
        }
        for index, each in enumerate(found)
    ]
    context = {
        "title": _("Versions of {name}").format(name=template.name),
        "template": template,
        "tab": "versions",
        "rows": rows,
        "may_publish": request.user.has_perm(PUBLISH),
    }
    return show_page(request, "templates_app/versions", context)


@needs(VIEW)
def compare(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Two versions, by `?old=` and `?new=`: the newest and the live one, or the one before, where nothing is said."""
    template = find_template(template_id)
    numbers = list(template.versions.values_list("number", flat=True))
    new, old = _chosen(request, template, numbers)
    pair = _with_contents(template).filter(number__in=[old, new])
    by_number = {each.number: each for each in pair}
    context: dict[str, Any] = {
        "title": _("Compare versions of {name}").format(name=template.name),
        "template": template,
        "numbers": numbers,
        "old": old,
        "new": new,
    }
    if old in by_number and new in by_number and old != new:
        compared = compare_versions(by_number[old], by_number[new])
        context |= {
            "compared": compared,
            "changes": list(field_changes(compared)),
            "changed_variables": changed_variables(compared),
            "frames": _frames(template, by_number[old], by_number[new]),
        }
    return show_page(request, "templates_app/compare", context)


def _chosen(request: HttpRequest, template: Template, numbers: list[int]) -> tuple[int | None, int | None]:
    """The newer and the older number."""

    def asked(name: str) -> int | None:
        text = request.GET.get(name, "")
        return int(text) if text.isdecimal() and int(text) in numbers else None

    new = asked("new") or (numbers[0] if numbers else None)
    live = template.live_version.number if template.live_version else None
    others = [number for number in (live, *numbers) if number is not None and number != new]
    return new, asked("old") or (others[0] if others else None)


def _with_contents(template: Template) -> QuerySet[TemplateVersion]:
    return template.versions.prefetch_related("contents")


def field_changes(compared: Comparison) -> Iterator[FieldChange]:
    """Every field of the words that differs, word by word."""
    for change in compared.changes:
        kind, *place = change.path.split("/")
        if kind == "contents":
            locale, channel, field = place
            pieces = word_changes(_as_text(change.before), _as_text(change.after))
            yield FieldChange(locale=locale, channel=channel, field=field, pieces=pieces)


def _as_text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, list):
        return "\n".join(" · ".join(map(str, each.values())) for each in value)
    return str(value or "")


def changed_variables(compared: Comparison) -> list[str]:
    """Names that are in both versions, declared otherwise in something but being required."""
    others = {*compared.variables_added, *compared.variables_removed, *compared.variables_now_required}
    found = {change.path.split("/")[1] for change in compared.changes if change.path.startswith("variables/")}
    return sorted(found - others)


def _frames(template: Template, old: TemplateVersion, new: TemplateVersion) -> list[dict[str, Any]]:
    """The mails of both versions by language, as addresses for frames."""

    def addresses(version: TemplateVersion) -> dict[str, str]:
        return {
            each.locale: reverse("admin:templates_app_template_frame", args=[template.pk, each.pk])
            for each in version.contents.all()
            if each.channel == Channel.EMAIL
        }

    before, after = addresses(old), addresses(new)
    return [
        {"locale": locale, "pair": [(before.get(locale), old.number), (after.get(locale), new.number)]}
        for locale in sorted(before.keys() | after.keys())
    ]


@needs(VIEW)
def frame_view(request: HttpRequest, template_id: UUID, content_id: int) -> HttpResponseBase:
    """One mail with its examples, alone, under a policy of its own."""
    content = get_object_or_404(
        TemplateContent.objects.select_related("version__template", "version__layout"),
        pk=content_id,
        version__template_id=template_id,
    )
    version = content.version
    is_draft = version.state == TemplateVersion.State.DRAFT
    layout = layouts.current_layout(version.template.layout) if is_draft else version.layout
    variables = parse_variables(version.variables)
    rendered = render_content(content, variables, example_values(variables), layout)
    if isinstance(rendered, Problem):
        return HttpResponse(f"{rendered.where}: {rendered.message}", content_type="text/plain; charset=utf-8")
    if not isinstance(rendered, RenderedEmail):
        raise Http404
    return mail_frame(request, rendered.html)
