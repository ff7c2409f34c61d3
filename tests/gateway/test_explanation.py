"""One notification in plain words."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from gateway.channel_contract import EventType, Outcome
from gateway.explanation import answer, timeline
from gateway.models import NotificationEvent, ProviderEvent
from gateway.statuses import Status
from gateway.tracking import record_news
from tests.factories import AttemptFactory, NotificationFactory, UserFactory
from tests.gateway.ledger_scene import news

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def accepted(**fields):
    """A notification whose first answer is kept, as submission leaves it."""
    first = {"status": "accepted", "reason": "waiting", "available_at": START.isoformat(), "warnings": []}
    return NotificationFactory(**{"first_answer": first, "created_at": START} | fields)


def minutes(n):
    return START + timedelta(minutes=n)


def test_who_reports_deliveries_is_not_said_to_prove_none():
    silent = accepted(status=Status.SENT, reason="sent", provider="fcm")
    assert answer(silent).sentence == "fcm accepted it. There is no proof of delivery from this provider."
    reporting = accepted(status=Status.SENT, reason="sent", provider="sendgrid", awaits_news=True)
    assert answer(reporting).sentence == "sendgrid accepted it, and may still report what became of it."


def test_a_notification_nobody_has_touched_has_one_step():
    row = accepted(request_id="req-1")
    [step] = timeline(row)
    assert (step.kind, step.at, step.sentence) == ("accepted", START, "Accepted from shop.")
    assert step.details["request_id"] == "req-1"


def test_steps_are_told_in_the_order_of_time_whatever_table_they_come_from():
    row = accepted(status=Status.DELIVERED)
    ProviderEvent.objects.create(provider="smtp", event_id="2", notification=row, type="opened", recorded_at=minutes(9))
    NotificationEvent.objects.create(
        notification=row, type="delivered", reason="delivered", data={"domain": "example.com"}, at=minutes(5)
    )
    NotificationEvent.objects.create(
        notification=row, type="sent", reason="sent", data={"provider": "smtp"}, at=minutes(2)
    )
    AttemptFactory(notification=row, claim_token=row.pk, provider="smtp", outcome="accepted", started_at=minutes(1))
    assert [step.kind for step in timeline(row)] == ["accepted", "attempt", "sent", "delivered", "opened"]


def test_an_attempt_is_told_with_the_providers_own_words_and_its_duration():
    row = accepted()
    AttemptFactory(
        notification=row,
        claim_token=row.pk,
        provider="smtp",
        outcome=Outcome.TRANSIENT,
        provider_code="451 4.7.1",
        detail="try again later",
        duration_ms=812,
        started_at=minutes(1),
    )
    step = timeline(row)[1]
    assert step.title == "Attempt 1 by smtp"
    assert step.sentence == "smtp could not take it just now. It said: 451 4.7.1 try again later"
    assert step.duration_ms == 812
    assert step.details["outcome"] == "transient"


@pytest.mark.parametrize("outcome", [*Outcome, None])
def test_every_outcome_has_words(outcome):
    row = accepted()
    AttemptFactory(notification=row, claim_token=row.pk, outcome=outcome, started_at=minutes(1))
    assert timeline(row)[1].sentence


def test_news_that_moved_the_status_is_told_once():
    row = accepted(status=Status.BOUNCED)
    NotificationEvent.objects.create(
        notification=row, type="bounced", reason="mailbox_unknown", data={"code": "550"}, at=minutes(3)
    )
    ProviderEvent.objects.create(
        provider="smtp", event_id="1", notification=row, type="bounced", detail="no such user", recorded_at=minutes(3)
    )
    steps = timeline(row)
    assert [step.kind for step in steps] == ["accepted", "bounced"]
    assert steps[1].sentence == "The mail server says there is no such mailbox (550)."
    assert steps[1].details["event_id"] == "1"


@pytest.mark.parametrize(
    ("reason", "code", "detail", "sentence"),
    [
        (
            *("mailbox_unknown", "550 5.1.1", "No such user"),
            "The mail server says there is no such mailbox (550 5.1.1). It said: No such user",
        ),
        ("mailbox_full", "", "", "The mailbox takes no more mail."),
        ("rejected", "", "Unsubscribed Address", "sendgrid refused it for good. It said: Unsubscribed Address."),
    ],
)
def test_a_bounce_is_told_with_the_services_own_words_once(reason, code, detail, sentence):
    row = NotificationFactory(status=Status.SENT)
    record_news([news(row, EventType.BOUNCED, provider="sendgrid", reason=reason, code=code, detail=detail)])
    row.refresh_from_db()
    assert timeline(row)[-1].sentence == sentence


def test_a_delivery_that_moved_nothing_is_told_as_one():
    row = NotificationFactory(status=Status.SUPPRESSED)
    record_news([news(row, EventType.DELIVERED, provider="mailgun", detail="example.com")])
    assert timeline(row)[-1].sentence == "The mail server of example.com accepted it. It can still be in spam."


def test_an_unsubscription_names_who_was_told():
    row = NotificationFactory(status=Status.SENT)
    record_news([news(row, EventType.UNSUBSCRIBED, provider="brevo")])
    assert timeline(row)[-1].sentence == "The person told brevo that they want no more mails like this."


def test_news_that_came_too_late_to_move_the_status_stays_a_step_of_its_own():
    row = accepted(status=Status.BOUNCED)
    ProviderEvent.objects.create(
        provider="smtp", event_id="1", notification=row, type="delivered", recorded_at=minutes(3)
    )
    assert [step.kind for step in timeline(row)] == ["accepted", "delivered"]


def test_a_suppressed_notification_says_so_as_its_first_step():
    first = {"status": "suppressed", "reason": "opt_out"}
    row = accepted(
        status=Status.SUPPRESSED,
        reason="opt_out",
        reason_data={"name": "Ann", "category": "Updates", "channel": "email"},
        first_answer=first,
    )
    [step] = timeline(row)
    assert (step.kind, step.title) == ("suppressed", "Not sent: turned off")
    assert step.sentence == "Ann turned off Updates by e-mail."


def test_a_replay_names_who_and_why():
    row = accepted()
    NotificationEvent.objects.create(
        notification=row, type="replayed", reason="waiting", data={"who": "Sam", "why": "server is back"}, at=minutes(1)
    )
    assert timeline(row)[1].sentence == "Sam gave it another life: server is back."


def test_an_operators_verdict_on_a_doubt_is_told_as_such():
    row = accepted()
    NotificationEvent.objects.create(notification=row, type="sent", reason="sent", data={"who": "Sam"}, at=minutes(1))
    assert timeline(row)[1].sentence == "Sam settled the doubt: it arrived."


def test_the_answer_of_a_waiting_one_names_the_moment_in_the_readers_zone():
    row = NotificationFactory(
        reason="retrying",
        reason_data={"last_error": "greylisted", "n": "2", "m": "8"},
        available_at=timezone.now().replace(hour=12, minute=17),
    )
    with timezone.override("Asia/Kathmandu"):
        told = answer(row)
    assert told.word == "Trying again"
    assert told.sentence.startswith("greylisted. Next try ")
    assert "18:02 (2 of 8)" in told.sentence


def test_nobody_takes_a_captured_message_for_one_that_has_left():
    row = NotificationFactory(
        status=Status.DELIVERED, reason="delivered", reason_data={"domain": "example.com"}, provider="capture"
    )
    assert answer(row).sentence == "It is in the inbox of captured messages and went to nobody else."


def test_the_markers_say_what_is_unusual():
    row = NotificationFactory(is_simulated=True, possible_duplicate=True, complained=True)
    assert answer(row).markers == ("Test only", "May have been sent twice", "Complained")


def test_a_timeline_takes_three_queries(django_assert_num_queries):
    row = accepted(user=UserFactory())
    AttemptFactory.create_batch(3, notification=row, claim_token=row.pk)
    with django_assert_num_queries(3):
        timeline(row)


def test_the_claim_token_of_a_late_answer_is_told_to_nobody():
    notification = accepted(status=Status.SENT)
    NotificationEvent.objects.create(
        notification=notification, type="late_answer", reason="sent", data={"provider": "smtp", "token": "secret"}
    )
    late = next(step for step in timeline(notification) if step.kind == "late_answer")
    assert late.details == {"provider": "smtp"}
