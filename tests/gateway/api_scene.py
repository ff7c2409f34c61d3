"""A shop that calls the API, the people it writes to, and its words. Made by the use cases that do it in earnest."""

import json
import uuid
from datetime import datetime, timedelta
from http import HTTPStatus

from django.test import Client

from gateway.database_clock import database_now
from gateway.models import Notification
from templates_app import publishing
from templates_app.models import Template
from tests.published_words import publish_words
from users.api_keys import create_api_key

NOTIFICATIONS = "/api/v1/notifications/"
JSON = "application/json"

#: As published: requirements.md, "API, as published to the user". Byte for byte.
PUBLISHED = (
    b'{"notification_type": "email", "user_id": "user-123", "template_code": "welcome_email", "variables": '
    b'{"name": "John Doe", "verification_link":\n'
    b'"https://app.example.com/verify/abc123"}, "request_id": "req-123456", "priority": "high"}'
)
WELCOME_VARIABLES = [
    {"name": "name", "type": "string", "required": True, "example": "Ann"},
    {"name": "verification_link", "type": "url", "required": True, "example": "https://example.com/v/abc"},
]
WELCOME_WORDS = {
    "subject": "Welcome, {{ name }}",
    "html": '<p>Hi {{ name }}, <a href="{{ verification_link }}">confirm</a></p>',
}


#: Longer than a test takes, shorter than anything it tells apart.
SOON = timedelta(minutes=5)


def client_with_key(*scopes, client="shop", mode="live", **options):
    """A caller of the API; without scopes the usual one of a shop."""
    _, plain = create_api_key(
        name=client, client=client, mode=mode, scopes=scopes or ["notifications:write"], **options
    )
    return Client(headers={"Authorization": f"Bearer {plain}"})


def template(code="welcome_email", *, contents=None, variables=WELCOME_VARIABLES, published=True, **fields):
    """A template with one version. `contents`: {(locale, channel): words}."""
    made = Template.objects.create(**{"code": code, "name": code} | fields)
    contents = contents or {("en", "email"): WELCOME_WORDS}
    if published:
        publish_words(made, variables=variables, contents=contents)
    else:
        publishing.save_draft(publishing.new_draft(made), variables=variables, contents=contents)
    return made


def write(draft, contents):
    for (locale, channel), words in contents.items():
        publishing.save_content(draft, locale=locale, channel=channel, words=words)


def next_version(made, *, contents=None, variables=None):
    """One more published version, a copy but for what is given."""
    made.refresh_from_db()
    draft = publishing.new_draft(made)
    if variables is not None:
        publishing.save_variables(draft, variables)
    write(draft, contents or {})
    publishing.publish(draft, acknowledge_breaking=True)
    made.refresh_from_db()
    return draft


def request_body(**changes):
    """The published request, with changes; `...` takes a member out."""
    body = json.loads(PUBLISHED) | changes
    return {name: value for name, value in body.items() if value is not ...}


def post(client, body, path=NOTIFICATIONS, content_type=JSON, **extra):
    """Ask; `body` as bytes, or as what becomes JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.generic("POST", path, raw, content_type=content_type, **extra)


def submit(client, **changes):
    """Ask for a notification; the answer must be a good one."""
    response = post(client, request_body(**changes))
    assert response.status_code in (HTTPStatus.ACCEPTED, HTTPStatus.OK), response.content
    return response.json()


def findings(response, status=400, code="validation_error"):
    """(pointer, code) of each entry of `errors`, in order of the pointers."""
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response["Content-Type"] == "application/problem+json"
    return sorted((each["pointer"], each["code"]) for each in problem["errors"])


def refusal(response):
    """(status, code) of a problem."""
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def row(answer):
    """What was stored."""
    return Notification.objects.get(pk=answer["id"])


def moment(text):
    """A moment of an answer."""
    return datetime.fromisoformat(text)


def put(answer, **columns):
    """The row as some later moment leaves it. Put there anew, since a database may refuse to skip steps."""
    stored = row(answer)
    stored.delete()
    held = {"claim_token": uuid.uuid4(), "lease_expires_at": database_now() + SOON}
    for name, value in (held | columns).items():
        setattr(stored, name, value)
    stored.pk = uuid.UUID(answer["id"])
    stored.save(force_insert=True)


def is_now(text):
    """Whether a moment of an answer is about the present one."""
    return abs(moment(text) - database_now()) < SOON


def in_time(**parts):
    """A moment for a request: so long after now."""
    return (database_now() + timedelta(**parts)).isoformat()
