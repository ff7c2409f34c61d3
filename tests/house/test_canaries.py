"""Canaries in every personal and secret field: after a whole delivery none sings where it must not."""

import threading

import pytest
from django.db import connection

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from consumers.brokers.rabbitmq.hint_format import hint_body
from consumers.delivery import Delivery
from consumers.sweeper import chores
from gateway.callback_models import CallbackTry, StatusCallback
from gateway.channel_contract import Outcome, SendResult
from gateway.models import DeliveryAttempt, Notification
from gateway.outbox import Hint
from gateway.statuses import Status
from tests.callback_scene import endpoint
from tests.consumers.engine import RULES, a_template, breakers_of
from tests.factories import DeviceFactory, UserFactory
from tests.fakes import ChannelWith, FakeProvider
from tests.gateway.api_scene import client_with_key, post, request_body
from users.audit import note
from users.models import User

pytestmark = pytest.mark.django_db

ADDRESS, TOKEN, VALUE, PASSWORD = "canaryaddress", "canarytoken", "canaryvalue", "canarypassword"
#: Encrypted or hashed wherever they lie.
SECRET = (ADDRESS, TOKEN, VALUE, PASSWORD, "ntf_live_", "whsec_")
#: May lie in the table of people, and nowhere outside the database.
NAME = "canaryname"
REFUSED = SendResult(
    outcome=Outcome.PERMANENT,
    error_code="mailbox_unknown",
    provider_code="550 5.1.1",
    detail=f"<{ADDRESS}@example.com>: no such user",
)


def dump():
    """Every value of every table, as it lies there."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  names of our own tables
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    shown = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                    yield f"{table}.{name}", shown


@pytest.fixture
def ann():
    person = UserFactory(external_id="user-123", name=NAME, email=f"{ADDRESS}@example.com")
    person.set_password(PASSWORD)
    person.save()
    DeviceFactory(user=person, token=f"{TOKEN}-{'x' * 100}-tail")
    return person


@pytest.fixture
def deliver(tmp_path):
    def run(channel, *ids):
        found = Delivery(
            channel,
            holder="consumer-1",
            journal_folder=tmp_path / "journals",
            rules=RULES,
            breakers=breakers_of(channel),
            stopping=threading.Event(),
        )
        try:
            found.deliver(list(ids))
        finally:
            found.close()

    return run


def test_no_canary_sings(ann, deliver, tmp_path, own_redis, capsys, settings):
    endpoint("http://127.0.0.1:21799/hook")
    words = {"subject": "Hi {{ name }}", "html": "<p>{{ name }}</p>", "text": "{{ name }}"}
    a_template(code="mail", words=words)
    a_template("push", code="push")
    client = client_with_key("notifications:write")
    asked = [("mail", "email"), ("mail", "email"), ("push", "push")]
    ids = []
    for number, (code, channel) in enumerate(asked):
        body = request_body(
            template_code=code, notification_type=channel, variables={"name": VALUE}, request_id=f"r{number}"
        )
        answer = post(client, body)
        assert answer.status_code == 202, answer.content
        ids.append(answer.json()["id"])
    refused = ChannelWith(EmailChannel(), FakeProvider(REFUSED))

    deliver(refused, ids[0])
    deliver(EmailChannel(), ids[1])
    deliver(PushChannel(), ids[2])
    for chore in chores(channels=[EmailChannel(), PushChannel()], journal_folder=tmp_path / "journals", rules=RULES):
        chore.do()
    note(who=ann, what="person.changed", about=ann, after={"email": ann.email}, why=f"asked by {ann.email}")
    client.get(f"/api/v1/notifications/{ids[0]}/")

    statuses = [Notification.objects.get(pk=pk).status for pk in ids]
    assert statuses[0] in (Status.BOUNCED, Status.FAILED)
    assert statuses[1:] == [Status.SENT, Status.SENT]
    assert DeliveryAttempt.objects.count() == 3
    assert StatusCallback.objects.exists()
    assert not CallbackTry.objects.exists()
    sung = {where for where, value in dump() for word in SECRET if word in value}
    # The beginning of a key is kept, so that people recognise it.
    assert sung <= {"users_apikey.prefix"}, "These lie in the clear."
    outside = {
        "logs": capsys.readouterr().err,
        "Redis": "".join(
            key.decode() + repr(own_redis.raw.get(key) if own_redis.raw.type(key) == b"string" else "")
            for key in own_redis.raw.scan_iter()
        ),
        "broker": hint_body(Hint(Notification.objects.get(pk=ids[0]).pk, "correlation")).decode(),
        "journals": "".join(
            path.read_text(errors="replace") for path in (tmp_path / "journals").rglob("*") if path.is_file()
        ),
    }
    assert outside["Redis"], "Nothing was shared, so nothing was looked at."
    for where, text in outside.items():
        assert [word for word in (*SECRET, NAME) if word in text] == [], where
    assert User.objects.with_email(ann.email).get() == ann
