"""The installation under test: tables, people, words for both rules, a key. And a client without a network."""

import json
import os
from pathlib import Path

from tests.chaos.checker import HOLD, RESEND

PEOPLE = 20
CLIENT = "chaos"
#: A client's log, one line of JSON for each thing it did or was told.
CLIENT_LOG = "client.log"
WORDS = {"subject": "News for {{ name }}", "html": "<p>Dear {{ name }}</p>", "text": "Dear {{ name }}"}


def template_code(rule: str) -> str:
    return f"chaos_{rule}"


def make_scene() -> dict:
    """Made by the use cases that make it in earnest; what a client must know of it."""
    from django.core.management import call_command
    from django.db import connections

    from gateway import outbox
    from gateway.callback_models import CallbackEndpoint
    from tests.chaos import logging_provider
    from users.api_keys import create_api_key
    from users.models import User

    call_command("migrate", interactive=False, verbosity=0)
    if os.environ.get("CHAOS_PROVIDER"):
        logging_provider.install()
    # Where so many die that innocents would be taken for poison.
    outbox.POISON_AFTER = int(os.environ.get("CHAOS_POISON_AFTER", outbox.POISON_AFTER))
    for rule in (RESEND, HOLD):
        _publish(rule)
    people = [f"person-{number}" for number in range(PEOPLE)]
    for person in people:
        User.objects.create_user(f"{person}@example.com", external_id=person, name=person.title())
    if os.environ.get("CHAOS_LISTENER"):
        # Somebody wants to hear of it, if not of these: then accepting is more than one statement.
        CallbackEndpoint.objects.create(client="listener", url="https://example.com/", events=["notification.accepted"])
    _, key = create_api_key(name="Chaos", client=CLIENT, scopes=["notifications:write"])
    connections.close_all()
    return {"key": key, "people": people}


def _publish(rule: str) -> None:
    from templates_app import publishing
    from templates_app.models import Template

    draft = publishing.new_draft(
        Template.objects.create(code=template_code(rule), name=f"Chaos, {rule}", on_unknown=rule)
    )
    publishing.save_variables(draft, [{"name": "name", "type": "string", "example": "Ann"}])
    publishing.save_content(draft, locale="en", channel="email", words=WORDS)
    publishing.publish(draft)


def request_body(request_id: str, *, person: str, rule: str, **more: object) -> dict:
    return {
        "notification_type": "email",
        "user_id": person,
        "template_code": template_code(rule),
        "variables": {"name": person},
        "request_id": request_id,
    } | more


class ClientLog:
    """What a client asked for and what it was told; each line is written at once."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def asks(self, request_id: str) -> None:
        self._write({"asked": request_id})

    def is_told(self, request_id: str, id_: str, status: int) -> None:
        self._write({"acknowledged": request_id, "id": id_, "status": status})

    def close(self) -> None:
        os.close(self._descriptor)

    def _write(self, line: dict) -> None:
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")


def post(folder: str, key: str, requests: str) -> None:
    """In a child: the requests of a JSON list, through every view and middleware, until it is done or dies."""
    from django.test import Client

    # The usual name of the test client is no name of ours.
    client, log = (
        Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {key}"}),
        ClientLog(Path(folder) / CLIENT_LOG),
    )
    for body in json.loads(requests):
        log.asks(body["request_id"])
        answer = client.post("/api/v1/notifications/", body, content_type="application/json")
        if answer.status_code in (200, 202):
            log.is_told(body["request_id"], answer.json()["id"], answer.status_code)
        elif answer.status_code != 503:
            raise AssertionError(f"{answer.status_code}: {answer.content!r}")
