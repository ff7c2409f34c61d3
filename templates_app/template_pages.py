"""What else a template tells people: how to send it, and what was done to it."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from templates_app.models import Template, TemplateVersion
from templates_app.sample_data import example_values
from templates_app.staff_views import VIEW, find_template, needs, routes, show_page
from templates_app.variables import parse_variables
from users.audit_models import AuditEntry

#: Lines of the list of what was done.
LATEST = 50

CURL = """curl -X POST {address} \\
  -H 'Authorization: Bearer YOUR_API_KEY' \\
  -H 'Content-Type: application/json' \\
  -d '{body}'"""
PYTHON = """import httpx

response = httpx.post(
    "{address}",
    headers={{"Authorization": "Bearer YOUR_API_KEY"}},
    json={body},
)
response.raise_for_status()  # 202: it is stored and will go out
print(response.json()["id"])"""
JAVASCRIPT = """const response = await fetch("{address}", {{
  method: "POST",
  headers: {{ Authorization: "Bearer YOUR_API_KEY", "Content-Type": "application/json" }},
  body: JSON.stringify({body}),
}});
if (!response.ok) throw new Error((await response.json()).detail);
console.log((await response.json()).id);"""


def template_urls() -> list[URLPattern]:
    """The routes of these pages."""
    return routes({"use/": use, "activity/": activity})


@needs(VIEW)
def use(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """The call that sends it, in three languages."""
    template = find_template(template_id)
    newest = template.versions.prefetch_related("contents").first()
    version = template.live_version or newest
    context = {
        "title": _("Use {name}").format(name=template.name),
        "template": template,
        "tab": "use",
        "variables": version.variables if version else [],
        "examples": call_examples(template, version),
    }
    return show_page(request, "templates_app/use", context)


def call_examples(template: Template, version: TemplateVersion | None) -> list[dict[str, str]]:
    """Name and text of each example, ready to paste but for the key."""
    variables = parse_variables(version.variables) if version else ()
    channels = sorted({each.channel for each in version.contents.all()}) if version else []
    body: dict[str, Any] = {
        "notification_type": (channels or ["email"])[0],
        "user_id": "user-123",
        "template_code": template.code,
        "variables": example_values(variables),
        "request_id": f"{template.code}-0001",
    }
    address = f"{settings.PUBLIC_URL}/api/v1/notifications/"
    as_json = json.dumps(body, indent=2, ensure_ascii=False)
    as_python = python_literal(body)
    return [
        {"id": "curl", "name": "curl", "text": CURL.format(address=address, body=as_json.replace("'", "'\\''"))},
        {"id": "python", "name": "Python", "text": PYTHON.format(address=address, body=_indented(as_python, "    "))},
        {"id": "js", "name": "JavaScript", "text": JAVASCRIPT.format(address=address, body=_indented(as_json, "  "))},
    ]


def python_literal(value: Any, depth: int = 0) -> str:
    """Plain JSON as a programmer writes it in Python."""
    inner, outer = "    " * (depth + 1), "    " * depth
    if isinstance(value, dict) and value:
        lines = (f"{inner}{json.dumps(key)}: {python_literal(each, depth + 1)},\n" for key, each in value.items())
        return f"{{\n{''.join(lines)}{outer}}}"
    if isinstance(value, list) and value:
        return f"[\n{''.join(f'{inner}{python_literal(each, depth + 1)},' + chr(10) for each in value)}{outer}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _indented(text: str, indent: str) -> str:
    return text.replace("\n", f"\n{indent}")


@needs(VIEW)
def activity(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """The last things that were done to it and its versions."""
    template = find_template(template_id)
    context = {
        "title": _("Activity of {name}").format(name=template.name),
        "template": template,
        "tab": "activity",
        "lines": latest_acts(template),
    }
    return show_page(request, "templates_app/activity", context)


def latest_acts(template: Template) -> list[dict[str, Any]]:
    """Who did what when, newest first: from the audit log and from the history of the admin."""
    keys = [str(template.pk), *(str(pk) for pk in template.versions.values_list("pk", flat=True))]
    kinds = [Template._meta.label_lower, TemplateVersion._meta.label_lower]
    audited = AuditEntry.objects.filter(about_kind__in=kinds, about_id__in=keys).order_by("-at")
    lines: list[dict[str, Any]] = [
        {"at": each.at, "who": each.who, "what": each.what, "why": each.why} for each in audited
    ]
    types = ContentType.objects.get_for_models(Template, TemplateVersion).values()
    entries = LogEntry.objects.filter(content_type__in=list(types), object_id__in=keys).select_related("user")
    lines += [
        {"at": each.action_time, "who": each.user.name or str(each.user), "what": each.get_change_message(), "why": ""}
        for each in entries.order_by("-action_time")[:LATEST]
    ]
    return sorted(lines, key=lambda line: line["at"], reverse=True)[:LATEST]
