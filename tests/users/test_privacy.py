"""What is kept about a person is given out whole, and erased whole."""

import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from channels_email.models import CapturedEmail
from gateway.models import Notification
from gateway.statuses import Status
from tests.factories import (
    AttemptFactory,
    DeviceFactory,
    NotificationFactory,
    PublishedVersionFactory,
    UserFactory,
)
from tests.gateway.api_scene import client_with_key
from users.audit_models import AuditEntry
from users.json_text import to_json
from users.models import Device, Preference, Suppression, User
from users.privacy import erase_recipient, export_recipient
from users.recipients import load_recipients
from users.suppressions import suppress_address

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    person = UserFactory(external_id="user-ann", name="Ann Canary", email="ann@example.com")
    DeviceFactory(user=person, token="device-token-canary")
    Preference.objects.create(user=person, channel="push", is_enabled=False)
    return person


@pytest.fixture
def sent(ann):
    """A mail Ann got, of which everything is kept."""
    version = PublishedVersionFactory(variables=[{"name": "name"}, {"name": "code", "sensitive": True}])
    row = NotificationFactory(
        user=ann,
        status=Status.SENT,
        template_version=version,
        variables={"name": "Ann Canary", "code": "123456"},
        metadata={"order": "canary"},
        reason_data={"name": "Ann Canary"},
        has_sensitive=True,
    )
    AttemptFactory(notification=row, claim_token=uuid4(), outcome="accepted", detail="250 ok <ann@example.com>")
    CapturedEmail.objects.create(notification=row, to="ann@example.com", subject="Hi Ann", source=b"Hi Ann Canary")
    return row


def test_an_export_holds_everything_but_secrets(ann, sent):
    told = export_recipient(ann, who="Sam")

    assert told["person"]["email"] == "ann@example.com"
    assert told["devices"][0]["token"] == "device-token-canary"
    assert told["preferences"][0]["channel"] == "push"
    assert told["captured_emails"][0]["subject"] == "Hi Ann"
    (notification,) = told["notifications"]
    assert notification["variables"] == {"name": "Ann Canary", "code": "••••"}
    assert notification["attempts"][0]["detail"].startswith("250")
    text = to_json(told).decode()
    assert not [word for word in (ann.password, ann.email_index, "123456") if word and word in text]
    assert AuditEntry.objects.get().what == "person.exported"


def test_an_export_asks_as_often_however_much_there_is(ann, sent, django_assert_max_num_queries):
    for _ in range(5):
        NotificationFactory(user=ann, template_version=sent.template_version)
    with django_assert_max_num_queries(20):
        export_recipient(ann, who="Sam")


def test_an_erased_person_is_gone_and_what_waits_is_cancelled(ann, sent):
    waiting = NotificationFactory(user=ann, variables={"name": "Ann Canary"})
    other = NotificationFactory(variables={"name": "Bob"})

    counts = erase_recipient(ann.pk, who="Sam", why="asked", address="192.0.2.1")

    assert counts["notifications"] == 2
    assert not User.objects.filter(pk=ann.pk).exists()
    assert not Device.objects.exists()
    assert not Preference.objects.exists()
    assert not CapturedEmail.objects.exists()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason, waiting.user_id) == (Status.CANCELLED, "erased", ann.pk)
    sent.refresh_from_db()
    assert (sent.status, sent.user_public_id) == (Status.SENT, "user-ann")
    assert (sent.variables, sent.metadata, sent.reason_data, sent.has_sensitive) == ({}, {}, {}, False)
    assert sent.content_deleted_at is not None
    assert sent.attempts.get().detail == ""
    assert Notification.objects.get(pk=other.pk).variables == {"name": "Bob"}
    line = AuditEntry.objects.get()
    assert (line.what, line.about_id, line.why) == ("person.erased", str(ann.pk), "asked")
    assert "Ann" not in f"{line.about_name}{line.before}{line.after}"


def test_a_block_outlives_the_person_without_a_word_of_them(ann, sent):
    suppress_address(address="ann@example.com", reason=Suppression.Reason.HARD_BOUNCE, evidence="550 <ann@example.com>")
    suppress_address(
        address="earlier@example.com", reason=Suppression.Reason.COMPLAINT, evidence="Ann", notification_id=sent.pk
    )
    suppress_address(address="bob@example.com", reason=Suppression.Reason.COMPLAINT, evidence="Bob")

    erase_recipient(ann.pk, who="Sam")

    told = Suppression.objects.values_list("masked_address", "evidence")
    assert str(Suppression.objects.earliest("pk")).startswith("Address of somebody erased")
    assert list(told.order_by("pk")) == [("", ""), ("", ""), ("b••@example.com", "Bob")]
    again = UserFactory(email="ann@example.com")
    assert load_recipients({again.pk}, channel="email")[again.pk].suppressed


def test_what_is_being_handed_over_is_not_stopped_but_loses_its_content(ann):
    row = NotificationFactory(user=ann, status=Status.SENDING, variables={"name": "Ann"})

    erase_recipient(ann.pk, who="Sam")

    row.refresh_from_db()
    assert (row.status, row.variables) == (Status.SENDING, {})


def test_a_person_erased_twice_is_not_there(ann):
    erase_recipient(ann.pk, who="Sam")

    with pytest.raises(User.DoesNotExist):
        erase_recipient(ann.pk, who="Sam")


def test_the_api_erases(ann, sent):
    client = client_with_key("users:write", "users:read")

    answer = client.delete("/api/v1/users/user-ann/")

    assert (answer.status_code, answer.content) == (204, b"")
    assert client.delete("/api/v1/users/user-ann/").status_code == 404
    assert AuditEntry.objects.get().who.startswith("API key")


def test_the_commands_export_and_erase(ann, sent, capsys, tmp_path):
    call_command("export_recipient", "user-ann", "--out", tmp_path / "ann.json")
    assert json.loads((tmp_path / "ann.json").read_bytes())["person"]["name"] == "Ann Canary"
    assert (tmp_path / "ann.json").stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_recipient", str(ann.pk), "--out", tmp_path / "ann.json")

    with pytest.raises(CommandError, match="Nobody can be asked"):
        call_command("erase_recipient", "user-ann", "--reason", "asked")
    capsys.readouterr()
    call_command("erase_recipient", "user-ann", "--reason", "asked", "--yes", "--json")
    assert json.loads(capsys.readouterr().out)["erased"]["notifications"] == 1
    with pytest.raises(CommandError, match="is nobody"):
        call_command("export_recipient", "user-ann")
    assert [line.what for line in AuditEntry.objects.all()].count("person.erased") == 1


@pytest.mark.parametrize("reason", ["", " ", "x" * 201])
def test_a_reason_is_needed(ann, reason):
    with pytest.raises(CommandError, match="--reason"):
        call_command("erase_recipient", "user-ann", "--reason", reason, "--yes")
