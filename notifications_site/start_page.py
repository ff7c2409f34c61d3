"""/ in local mode: what this is, where everything is, a request to paste, and the last messages as they go out."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.views.decorators.csrf import csrf_exempt

from channels_email.models import CapturedEmail
from channels_push.models import CapturedPush
from gateway import demo_samples, explanation
from gateway.demo_data import ADMIN_EMAIL, SECRETS_FILE, kept_api_key
from gateway.models import Notification
from notifications_site.captured import is_captured, only_browsers_get_it
from notifications_site.error_pages import READING, only_reading
from users.json_text import to_json
from users.models import User

#: So many messages are shown.
LAST = 15
#: Stands in the samples where no key is known.
KEY_TO_FILL_IN = "YOUR_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A line of the list of last messages."""

    id: UUID
    at: datetime
    person: str
    channel: str
    template: str
    #: The status in a word, and its colour as in the admin.
    word: str
    tone: str
    #: What the person sees first; the template's name while nothing lies in the inbox.
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A request to paste into a terminal."""

    title: str | Promise
    text: str


@csrf_exempt  # nothing is ever written here; a wrong method gets its 405
def start_page(request: HttpRequest) -> HttpResponse:
    """For a person at this machine; everybody else is led to the admin."""
    if request.method not in READING:
        return only_reading(request)
    if not is_at_this_machine(request):
        return redirect("admin:index")
    key = kept_api_key(Path(settings.VAR_DIR))
    shown_key = key or KEY_TO_FILL_IN
    url = settings.PUBLIC_URL
    context = {
        "is_captured": is_captured(),
        "browsers_get_it": only_browsers_get_it(),
        "has_key": bool(key),
        "admin_email": ADMIN_EMAIL,
        "secrets_file": Path(settings.VAR_DIR) / SECRETS_FILE,
        "commands": [
            Command(title=each.title, text=demo_samples.submit_with_curl(each.body, base_url=url, api_key=shown_key))
            for each in demo_samples.SAMPLES
        ],
        "status_command": demo_samples.status_with_curl(base_url=url, api_key=shown_key),
        "messages_url": reverse("start-messages"),
        "last_messages": last_messages(),
    }
    page = render(request, "start_page.html", context)
    page["Cache-Control"] = "no-store"
    return page


@csrf_exempt
def start_messages(request: HttpRequest) -> HttpResponse:
    """The last messages as JSON, for the page to ask for every second."""
    if request.method not in READING:
        return only_reading(request)
    if not is_at_this_machine(request):
        raise Http404
    body = to_json({"messages": [_as_json(message) for message in last_messages()]})
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


def is_at_this_machine(request: HttpRequest) -> bool:
    """Whether this is a local installation and the request comes from the machine itself, through no proxy."""
    if not settings.IS_LOCAL or "X-Forwarded-For" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def last_messages() -> list[Message]:
    """The newest notifications first. Four queries."""
    rows = list(Notification.objects.select_related("template").order_by("-pk")[:LAST])
    people = User.objects.in_bulk([row.user_id for row in rows])
    titles = _captured_titles([row.pk for row in rows])
    return [_message(row, people.get(row.user_id), titles.get(row.pk, row.template.name)) for row in rows]


def _captured_titles(ids: list[UUID]) -> dict[UUID, str]:
    mails = CapturedEmail.objects.filter(notification_id__in=ids).values_list("notification_id", "subject")
    pushes = CapturedPush.objects.filter(notification_id__in=ids).values_list("notification_id", "title")
    return dict(mails) | dict(pushes)


def _message(row: Notification, person: User | None, title: str) -> Message:
    answer = explanation.answer(row)
    return Message(
        id=row.pk,
        at=row.created_at,
        person=str(person) if person else row.user_public_id,
        channel=row.get_channel_display(),
        template=row.template.code,
        word=answer.word,
        tone=answer.tone,
        title=title,
        url=reverse("admin:gateway_notification_change", args=[row.pk]),
    )


def _as_json(message: Message) -> dict[str, object]:
    return {name: getattr(message, name) for name in Message.__slots__}
