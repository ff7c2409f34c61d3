"""The editor of a template: the page, and what it asks while somebody writes. All answers but the page are JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from templates_app import drafting, layouts, template_life
from templates_app.editor_state import (
    differences,
    kept_set,
    page_state,
    sample_sets,
    values_of,
    version_for_editing,
    version_state,
    who_changed,
)
from templates_app.live_preview import Problem, as_shown, render_content
from templates_app.models import Template, TemplateContent, TemplateVersion, VersionIsFixed
from templates_app.safe_engine import TemplateSyntaxProblem
from templates_app.staff_views import PUBLISH, VIEW, WRITE, View, find_template, needs, person, routes, show_page
from templates_app.submitted_words import WordsRefused, read_content, read_contents
from templates_app.text_part import text_from_html
from templates_app.variables import DeclarationInvalid, VariableType, parse_variables
from users.models import User
from users.moments import age, clock

#: Offered first where a language is added; any other tag can be typed.
COMMON_LANGUAGES = ("ar", "de", "en", "es", "fr", "he", "it", "ja", "nl", "pl", "pt-BR", "tr", "uk", "zh-Hans")


class BadAsk(Exception):
    """The page asked for something that has no sense; its text goes into `detail`."""


def editor_urls() -> list[URLPattern]:
    """The routes of the page and of what it asks."""
    views = {"": editor, "save/": save, "look/": look, "text/": make_text, "samples/": samples}
    return routes({f"editor/{route}": view for route, view in views.items()})


def _asked(view: View) -> View:
    """The template and the JSON body for a view; what it refuses becomes an answer that says why."""

    @require_POST
    @wraps(view)
    def answer(request: HttpRequest, template_id: UUID) -> HttpResponse:
        template = find_template(template_id)
        try:
            body = json.loads(request.body)
            if not isinstance(body, dict):
                raise BadAsk("This must be a JSON object.")
            return view(request, template, body)
        except (BadAsk, WordsRefused, ValueError) as error:
            return JsonResponse({"detail": _words_of(error)}, status=400)

    return answer


def _words_of(error: Exception) -> str:
    if isinstance(error, DeclarationInvalid):
        return " ".join(f"{each.pointer.removeprefix('/variables/')}: {each.detail}" for each in error.findings)
    return str(error)


@needs(VIEW)
def editor(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """The page: the draft, or what is live; `?version=3` shows a version as it is."""
    template = find_template(template_id)
    number = request.GET.get("version", "")
    version = version_for_editing(template, int(number) if number.isdecimal() else None)
    may_write = request.user.has_perm(WRITE) and _can_be_written(template, version, is_pinned=bool(number))
    context = {
        "title": _("Editor: {name}").format(name=template.name),
        "template": template,
        "version": version,
        "may_write": may_write,
        "may_send": version is not None and request.user.has_perm(WRITE),
        "may_publish": request.user.has_perm(PUBLISH),
        "types": [(str(each), each.replace("datetime", "date and time")) for each in VariableType],
        "formats": TemplateContent.SourceFormat.choices,
        "common_languages": [(code, get_language_info(code.lower())["name_translated"]) for code in COMMON_LANGUAGES],
        "state": page_state(template, version, may_write=may_write),
        "is_nav_sidebar_enabled": False,
        "is_fullwidth": "1",
        "now": timezone.now(),
    }
    return show_page(request, "templates_app/editor", context)


def _can_be_written(template: Template, version: TemplateVersion | None, *, is_pinned: bool) -> bool:
    if template.is_archived or (version is not None and version.publish_at):
        return False
    is_draft = version is None or version.state == TemplateVersion.State.DRAFT
    return is_draft or not is_pinned


@needs(WRITE)
@_asked
def save(request: HttpRequest, template: Template, body: dict[str, Any]) -> HttpResponse:
    """Write in the draft; the first save of a template without one begins it. 409 when somebody else has saved."""
    user = person(request)
    changed, removed = read_contents(body.get("contents"))
    try:
        with transaction.atomic():
            draft, revision = _draft_to_save(template, body, user)
            variables = body.get("variables")
            drafting.save_draft(draft, by=user, expected_revision=revision, variables=variables, contents=changed)
            for locale, channel in removed:
                drafting.remove_content(draft, locale=locale, channel=channel, by=user)
    except (drafting.RevisionStale, drafting.DraftExists, VersionIsFixed) as stale:
        return _conflict(template, body, stale)
    except drafting.PublicationScheduled as scheduled:
        return JsonResponse({"detail": str(scheduled)}, status=409)
    state = version_state(draft)
    # Of what may be sixty languages, those that were sent.
    state["contents"] = {
        locale: {channel: words for channel, words in channels.items() if (locale, channel) in changed}
        for locale, channels in state["contents"].items()
    }
    return JsonResponse(state | {"clock": clock(timezone.now())})


def _draft_to_save(
    template: Template, body: Mapping[str, Any], user: User | None
) -> tuple[TemplateVersion, int | None]:
    number, revision = body.get("number"), body.get("revision")
    if number is None:
        if body.get("base") != (template.live_version and template.live_version.number):
            raise VersionIsFixed
        return drafting.new_draft(template, by=user), None
    if not isinstance(number, int) or not isinstance(revision, int):
        raise BadAsk("number and revision must be whole numbers.")
    draft = template.versions.select_related("template").filter(number=number).first()
    if draft is None:
        raise VersionIsFixed  # somebody threw the draft away
    return draft, revision


def _conflict(template: Template, body: Mapping[str, Any], stale: Exception) -> HttpResponse:
    """What is stored now, and where it differs from what was to be stored."""
    template = Template.objects.select_related("live_version").get(pk=template.pk)
    version = version_for_editing(template, None)
    return JsonResponse(
        {
            "detail": str(stale),
            "base": template.live_version and template.live_version.number,
            "who": who_changed(version),
            "changed": _changed_words(version),
            "theirs": version_state(version),
            "differences": differences(version, body),
        },
        status=409,
    )


def _changed_words(version: TemplateVersion | None) -> str:
    if version is None:
        return ""
    return _("Changed {age} by {who}").format(age=age(version.edited_at), who=who_changed(version))


@needs(VIEW)
@_asked
def look(request: HttpRequest, template: Template, body: dict[str, Any]) -> HttpResponse:
    """The words as they are on the page, as a person would get them."""
    try:
        variables = parse_variables(body.get("variables"))
    except DeclarationInvalid as wrong:
        first = wrong.findings[0]
        name = _name_at(body["variables"], first.pointer)
        problem = Problem(where=f"{_('Variables')}, {name}", message=first.detail, path=f"variables/{name}")
        return JsonResponse({"problem": asdict(problem)})
    content = read_content(str(body.get("locale")), str(body.get("channel")), body.get("words"))
    values = values_of(template, str(body.get("sample")), variables, body.get("values"))
    rendered = render_content(content, variables, values, layouts.current_layout(template.layout))
    if isinstance(rendered, Problem):
        return JsonResponse({"problem": asdict(rendered)})
    return JsonResponse(as_shown(rendered, locale=content.locale, scheme=str(body.get("scheme"))))


def _name_at(variables: Any, pointer: str) -> str:
    """The name of the variable a pointer such as /variables/2/name leads into."""
    step = pointer.split("/")[2:3]
    try:
        return str(variables[int(step[0])]["name"])
    except (LookupError, TypeError, ValueError):
        return ""


@needs(VIEW)
@_asked
def make_text(request: HttpRequest, template: Template, body: dict[str, Any]) -> HttpResponse:
    """The text part the HTML would get."""
    try:
        return JsonResponse({"text": text_from_html(str(body.get("html") or ""))})
    except TemplateSyntaxProblem as problem:
        line = _("line {n}").format(n=problem.line)
        raise BadAsk(f"HTML, {line}: {problem.message}") from None


@needs(VIEW)
@_asked
def samples(request: HttpRequest, template: Template, body: dict[str, Any]) -> HttpResponse:
    """Show the values of a set; keep a set with the template, or forget one."""
    variables = parse_variables(body.get("variables"))
    if body.get("act") == "show":
        return JsonResponse({"values": values_of(template, str(body.get("sample")), variables, None)})
    if not request.user.has_perm(WRITE):
        raise PermissionDenied
    user = person(request)
    if body.get("act") == "forget":
        kept = kept_set(template, str(body.get("sample")))
        template_life.delete_sample_set(template, name=kept.name if kept else "", by=user)
        return JsonResponse({"samples": sample_sets(template), "chosen": "examples"})
    name, values = str(body.get("name") or "").strip(), body.get("values")
    if not 0 < len(name) <= 100 or not isinstance(values, dict):
        raise BadAsk(_("A set has a name of at most 100 characters, and an object of values."))
    kept = template_life.save_sample_set(template, name=name, variables=values, by=user)
    return JsonResponse({"samples": sample_sets(template), "chosen": f"kept-{kept.pk}"})
