"""The default provider keeps what would have left, byte for byte, and reports delivery a moment later."""

import email
import uuid
from datetime import timedelta
from email import policy

import pytest
from django.db import DataError, OperationalError
from django.db.models.functions import Now

from channels_email.message import EmailMessage
from channels_email.models import CapturedEmail
from channels_email.providers.capture import REPORT_AFTER, CaptureProvider
from gateway.channel_contract import EventType, Outcome
from gateway.models import Notification
from templates_app.rendering import RenderedEmail
from tests.factories import NotificationFactory

pytestmark = pytest.mark.django_db


def a_message(notification: Notification | None = None, *, to: str = "Ann Lee <ann@example.com>", **words: str):
    notification = notification or NotificationFactory()
    parts = {"subject": "Hello", "preheader": "", "html": "<p>Hi</p>", "text": "Hi"} | words
    return EmailMessage(
        notification_id=notification.pk,
        message_id=notification.message_id,
        to=to,
        sender="Shop <shop@mail.example>",
        locale="en",
        words=RenderedEmail(**parts),
    )


def send(*messages: EmailMessage):
    provider = CaptureProvider()
    provider.connect()
    results = list(provider.send(messages))
    provider.close()
    provider.close()
    return results


def make_old_enough() -> None:
    CapturedEmail.objects.update(captured_at=Now() - REPORT_AFTER - timedelta(seconds=1))


def test_a_mail_is_kept_as_it_would_have_left():
    message = a_message(subject="Grüße", text="Hallo Jürgen", html="<p>Hallo Jürgen</p>")
    (result,) = send(message)
    kept = CapturedEmail.objects.get()
    assert (result.outcome, result.provider_message_id) == (Outcome.ACCEPTED, str(kept.pk))
    assert (kept.notification_id, kept.to, kept.subject) == (
        message.notification_id,
        "Ann Lee <ann@example.com>",
        "Grüße",
    )
    source = bytes(kept.source)
    assert source.count(b"\n") == source.count(b"\r\n")
    mail = email.message_from_bytes(source, policy=policy.default)
    assert mail["Subject"] == "Grüße"
    assert mail.get_body(("plain",)).get_content().strip() == "Hallo Jürgen"


def test_each_message_of_a_batch_gets_its_own_answer_in_order():
    messages = [a_message(subject=str(number)) for number in range(3)]
    results = send(*messages)
    kept = [CapturedEmail.objects.get(pk=result.provider_message_id) for result in results]
    assert [each.subject for each in kept] == ["0", "1", "2"]
    assert [each.notification_id for each in kept] == [each.notification_id for each in messages]


def test_no_message_means_no_answer():
    assert send() == []


def test_an_address_too_long_for_the_inbox_is_kept_without_the_name():
    address = f"{'a' * 60}@{('b' * 60 + '.') * 3}example"
    send(a_message(to=f"{'N' * 200} <{address}>"))
    assert CapturedEmail.objects.get().to == address


def test_the_longest_subject_fits():
    assert send(a_message(subject="x" * 255))[0].outcome == Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [(OperationalError("connection lost while committing"), Outcome.UNKNOWN), (DataError("odd"), Outcome.TRANSIENT)],
)
def test_an_inbox_that_cannot_keep_it_says_how_certain_that_is(monkeypatch, trouble, outcome):
    def fail(rows):
        raise trouble

    monkeypatch.setattr(CapturedEmail.objects, "bulk_create", fail)
    results = send(a_message(), a_message())
    assert [(each.outcome, each.error_code) for each in results] == [(outcome, "inbox_away")] * 2


def test_one_mail_that_cannot_be_made_does_not_harm_the_others():
    good, odd = a_message(), a_message(to="Ann\r\nBcc: all@example.com <ann@example.com>")
    results = send(good, odd, a_message())
    assert [each.outcome for each in results] == [Outcome.ACCEPTED, Outcome.PERMANENT, Outcome.ACCEPTED]
    assert results[1].reason == "rejected"
    assert set(CapturedEmail.objects.values_list("pk", flat=True)) == {
        uuid.UUID(results[0].provider_message_id),
        uuid.UUID(results[2].provider_message_id),
    }


# --- news -------------------------------------------------------------------------------------------------------------
def test_delivery_is_reported_a_moment_later():
    message = a_message()
    send(message)
    provider = CaptureProvider()
    assert provider.collect_news(10) == []
    make_old_enough()
    (news,) = provider.collect_news(10)
    kept = CapturedEmail.objects.get()
    assert (news.provider, news.event_id, news.notification_id) == ("capture", str(kept.pk), message.notification_id)
    assert (news.type, news.occurred_at, news.detail) == (EventType.DELIVERED, kept.captured_at, "example.com")


@pytest.mark.parametrize("to", ["ann@example.com", "Ann <ann@example.com>", '"Lee, @nn" <ann@example.com>'])
def test_the_report_names_the_domain_whatever_the_name_looks_like(to):
    send(a_message(to=to))
    make_old_enough()
    assert CaptureProvider().collect_news(10)[0].detail == "example.com"


def test_news_is_told_until_it_is_confirmed():
    send(a_message())
    make_old_enough()
    provider = CaptureProvider()
    news = provider.collect_news(10)
    assert provider.collect_news(10) == news
    provider.confirm_news(news)
    assert provider.collect_news(10) == []


def test_no_more_news_comes_than_asked_for_and_the_oldest_first():
    send(a_message(), a_message())
    make_old_enough()
    first, second = CapturedEmail.objects.order_by("id")
    CapturedEmail.objects.filter(pk=second.pk).update(captured_at=Now() - timedelta(hours=1))
    assert [each.event_id for each in CaptureProvider().collect_news(1)] == [str(second.pk)]
    assert first.pk != second.pk


def test_the_mail_goes_when_its_notification_goes():
    notification = NotificationFactory()
    send(a_message(notification))
    notification.delete()
    assert not CapturedEmail.objects.exists()
