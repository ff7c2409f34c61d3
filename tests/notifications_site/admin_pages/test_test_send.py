"""A test out of the editor: really handed over, marked, and in nobody's way."""

import json

import pytest

from channels_email.models import CapturedEmail
from channels_email.providers.capture import CaptureProvider
from channels_push.models import CapturedPush
from gateway.channel_contract import Outcome, ProviderAway, SendResult
from gateway.models import Notification
from gateway.statuses import ENDED, Status
from templates_app import drafting
from templates_app.models import TemplateVersion
from templates_app.template_life import CodeLocked, change_template
from tests.admin_scene import owner, signed_in, staff
from tests.factories import NotificationFactory, TemplateContentFactory, TemplateVersionFactory
from users.audit_models import AuditEntry
from users.channels import Channel

pytestmark = pytest.mark.django_db(transaction=True)

NAME = {"name": "name", "type": "string", "required": True, "example": "Zebedee"}


@pytest.fixture
def draft():
    version = TemplateVersionFactory(variables=[NAME])
    TemplateContentFactory(
        version=version, subject="Hi {{ name }}", html="<p>Dear {{ name }}</p>", text="Dear {{ name }}"
    )
    TemplateContentFactory(version=version, channel=Channel.PUSH, title="Hi {{ name }}")
    return version


def send(client, version, **more):
    body = {
        "version": version.number,
        "locale": "en",
        "channel": "email",
        "to": "owner@example.com",
        "sample": "examples",
        "values": None,
    }
    address = f"/admin/templates_app/template/{version.template_id}/test/"
    return client.post(address, json.dumps(body | more), content_type="application/json")


def test_a_draft_is_sent_marked_and_can_be_looked_at(draft):
    answer = send(signed_in(owner()), draft).json()
    mail = CapturedEmail.objects.get()
    assert (mail.subject, "Dear Zebedee" in bytes(mail.source).decode()) == ("[Test] Hi Zebedee", True)
    assert answer["is_accepted"]
    assert answer["sentence"].startswith("Accepted by capture in ")
    assert answer["shown_at"].endswith(f"?notification={mail.notification_id}")
    row = Notification.objects.get()
    assert (row.status, row.is_simulated, row.mode, row.attempt_count) == (Status.SENT, True, "test", 1)
    assert AuditEntry.objects.get(what="template.tested").after["to"] != "owner@example.com"


def test_a_push_goes_to_a_pretended_phone_where_pushes_are_captured(draft):
    assert send(signed_in(owner()), draft, channel="push").json()["is_accepted"]
    assert CapturedPush.objects.get().title == "[Test] Hi Zebedee"


def test_values_typed_by_hand_are_sent(draft):
    send(signed_in(owner()), draft, values={"name": "Zoe"}, to="other@example.com")
    mail = CapturedEmail.objects.get()
    assert (mail.subject, "other@example.com" in mail.to) == ("[Test] Hi Zoe", True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"to": "nobody"}, "This is no e-mail address."),
        ({"locale": "fr"}, "There are no such words."),
        ({"values": {"name": 3}}, "Sample data, name"),
    ],
)
def test_what_cannot_be_sent_is_said_and_leaves_nothing_behind(draft, body, words):
    answer = send(signed_in(owner()), draft, **body)
    assert (answer.status_code, words in answer.json()["detail"]) == (400, True)
    assert not Notification.objects.exists()


@pytest.mark.parametrize("outcome", [Outcome.TRANSIENT, Outcome.PERMANENT, Outcome.MISCONFIGURED])
def test_a_test_that_is_refused_is_told_and_never_tried_again(draft, monkeypatch, outcome):
    refused = SendResult(outcome=outcome, detail="No such mailbox.")
    monkeypatch.setattr(CaptureProvider, "send", lambda self, messages: iter([refused]))
    answer = send(signed_in(owner()), draft).json()
    assert (answer["is_accepted"], answer["sentence"]) == (False, "capture did not take it: No such mailbox.")
    assert Notification.objects.get().status in ENDED - {Status.FAILED}


def test_a_provider_that_is_away_is_told(draft, monkeypatch):
    def away(self):
        raise ProviderAway("The server does not answer.")

    monkeypatch.setattr(CaptureProvider, "connect", away)
    assert "The server does not answer." in send(signed_in(owner()), draft).json()["sentence"]
    assert Notification.objects.get().status == Status.EXPIRED


def test_a_draft_that_was_tested_is_thrown_away_with_its_tests(draft):
    send(signed_in(owner()), draft)
    other = NotificationFactory()
    drafting.delete_draft(draft)
    assert not TemplateVersion.objects.filter(pk=draft.pk).exists()
    assert (Notification.objects.get(), CapturedEmail.objects.exists()) == (other, False)


def test_a_test_is_no_use_of_the_code(draft):
    send(signed_in(owner()), draft)
    renamed = change_template(draft.template, code="better_code")
    NotificationFactory(template=renamed, template_version=draft)
    with pytest.raises(CodeLocked):
        change_template(renamed, code="best_code")


def test_tests_are_for_editors(draft):
    assert send(signed_in(staff("templates_app.view_template")), draft).status_code == 403
    assert not Notification.objects.exists()


def test_a_test_to_the_simulator_is_handed_to_nobody_else(draft):
    assert send(signed_in(owner()), draft, to="bounce@simulator.test").json()["is_accepted"]
    row = Notification.objects.get()
    assert (row.provider, row.status, row.reason) == ("simulator", Status.BOUNCED, "mailbox_unknown")
    assert not CapturedEmail.objects.exists()
