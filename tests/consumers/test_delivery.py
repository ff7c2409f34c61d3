"""One batch with a provider that answers as told: what reaches it, and what becomes of each notification."""

import time
import uuid
from datetime import timedelta

import pytest

from consumers import delivery as delivery_module
from gateway import outbox, tracking
from gateway.channel_contract import Outcome, SendResult
from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.engine import (
    MAX_ATTEMPTS,
    a_template,
    age,
    attempts_of,
    events_of,
    forget_providers,
    is_due,
    make_due,
    now_as,
    several,
    statuses_of,
    submit,
)
from tests.factories import UserFactory
from tests.fakes import ACCEPTED, BUSY, CUT_OFF, REFUSED, TOO_FAST, WRONG_KEY, FakeProvider, away
from users.channels import Channel
from users.models import Preference

pytestmark = pytest.mark.django_db


def outcomes_of(notification: Notification) -> list[str | None]:
    return [each.outcome for each in attempts_of(notification)]


# --- answers ----------------------------------------------------------------------------------------------------------
def test_what_the_provider_takes_is_sent(deliver):
    (notification,) = several(1)
    provider = FakeProvider(reports_delivery=True)
    assert deliver(provider, notification) == 1
    row = now_as(notification)
    assert (row.status, row.reason, row.provider) == (Status.SENT, "sent", "fake")
    assert row.sent_at is not None
    assert row.awaits_news
    assert (row.claim_token, row.lease_expires_at) == (None, None)
    assert (row.attempt_count, row.tries_used, row.possible_duplicate) == (1, 0, False)
    (attempt,) = attempts_of(notification)
    assert (attempt.number, attempt.provider, attempt.outcome) == (1, "fake", Outcome.ACCEPTED)
    assert attempt.provider_message_id == "250-ok"
    assert attempt.ended_at is not None
    assert attempt.duration_ms is not None
    assert events_of(notification)[-1] == "sent"


def test_each_message_of_a_batch_gets_its_own_answer(deliver):
    notifications = several(4)
    deliver(FakeProvider(ACCEPTED, BUSY, REFUSED, CUT_OFF), *notifications)
    assert sorted(statuses_of(*notifications)) == [Status.ACCEPTED, Status.FAILED, Status.SENT, Status.UNKNOWN]


def test_trouble_is_tried_again_later_and_then_sent(deliver):
    (notification,) = several(1)
    provider = FakeProvider(BUSY)
    deliver(provider, notification)
    row = now_as(notification)
    assert (row.status, row.reason, row.waiting_for, row.tries_used) == (Status.ACCEPTED, "retrying", "retry", 1)
    assert not is_due(notification)
    assert deliver(provider, notification) == 0
    make_due(notification)
    assert deliver(provider, notification) == 1
    assert now_as(notification).status == Status.SENT
    assert outcomes_of(notification) == [Outcome.TRANSIENT, Outcome.ACCEPTED]
    assert [each.number for each in attempts_of(notification)] == [1, 2]
    assert len({each.message_id for each in provider.handed_over}) == 1


def test_trouble_without_end_is_given_up_after_the_last_try(deliver):
    (notification,) = several(1)
    for _ in range(MAX_ATTEMPTS):
        make_due(notification)
        deliver(FakeProvider(BUSY), notification)
    row = now_as(notification)
    assert (row.status, row.reason, row.tries_used) == (Status.FAILED, "attempts_exhausted", MAX_ATTEMPTS)
    make_due(notification)
    assert deliver(FakeProvider(), notification) == 0


def test_a_permanent_refusal_is_a_dead_letter_at_once(deliver):
    (notification,) = several(1)
    deliver(FakeProvider(REFUSED), notification)
    row = now_as(notification)
    assert (row.status, row.reason) == (Status.FAILED, "mailbox_unknown")
    (attempt,) = attempts_of(notification)
    assert (attempt.provider_code, attempt.detail) == ("550 5.1.1", "No such mailbox.")


@pytest.mark.parametrize(("answer", "reason"), [(TOO_FAST, "rate_limited"), (WRONG_KEY, "provider_auth")])
def test_what_is_not_the_notifications_fault_uses_up_no_try(deliver, answer, reason):
    (notification,) = several(1)
    for _ in range(MAX_ATTEMPTS + 2):
        make_due(notification)
        forget_providers()  # else it would only wait for the provider's pause
        deliver(FakeProvider(answer), notification)
    row = now_as(notification)
    assert (row.status, row.reason, row.tries_used) == (Status.ACCEPTED, reason, 0)
    assert row.attempt_count == MAX_ATTEMPTS + 2
    assert not is_due(notification)


def test_a_cut_off_hand_over_stays_in_doubt_and_is_not_sent_again(deliver):
    (notification,) = several(1)
    provider = FakeProvider(CUT_OFF)
    deliver(provider, notification)
    make_due(notification)
    deliver(provider, notification)
    row = now_as(notification)
    assert (row.status, row.reason, row.tries_used) == (Status.UNKNOWN, "outcome_unknown", 1)
    assert outcomes_of(notification) == [Outcome.UNKNOWN]
    assert provider.ids == [notification.pk]


def test_a_wait_the_provider_asks_for_is_kept_with_the_attempt(deliver):
    (notification,) = several(1)
    wait = timedelta(minutes=30)
    deliver(FakeProvider(SendResult(outcome=Outcome.TRANSIENT, retry_after=wait)), notification)
    assert attempts_of(notification)[0].retry_after == 1800
    Notification.objects.filter(pk=notification.pk, available_at__gte=now_as(notification).updated_at + wait).get()


@pytest.mark.parametrize(
    "odd",
    [
        SendResult(outcome=Outcome.TRANSIENT, detail="broken \x00 bytes", error_code="\x00"),
        SendResult(outcome=Outcome.PERMANENT, detail="broken \x00 bytes", provider_code="\x00", reason="rejected"),
        SendResult(outcome=Outcome.ACCEPTED, provider_message_id="\x00" + "long" * 200),
        SendResult(outcome=Outcome.TRANSIENT, detail="much " * 10_000, error_code="long" * 50, provider_code="y" * 99),
        SendResult(outcome=Outcome.TRANSIENT, detail="half a \ud800 pair"),
        SendResult(outcome=Outcome.THROTTLED, retry_after=timedelta(seconds=-5)),
        SendResult(outcome=Outcome.THROTTLED, retry_after=timedelta(days=999_999)),
    ],
)
def test_an_odd_answer_can_be_recorded_all_the_same(deliver, odd):
    (notification,) = several(1)
    deliver(FakeProvider(odd), notification)
    assert outcomes_of(notification) == [odd.outcome]
    assert now_as(notification).status != Status.SENDING


# --- a provider with a fault ------------------------------------------------------------------------------------------
def test_a_provider_that_breaks_off_leaves_doubts_and_loses_no_answer(deliver):
    notifications = several(4)
    provider = FakeProvider(ACCEPTED, RuntimeError("a fault in the adapter"))
    deliver(provider, *notifications)
    assert sorted(statuses_of(*notifications)) == [Status.SENT, Status.UNKNOWN, Status.UNKNOWN, Status.UNKNOWN]
    assert len(provider.handed_over) == 2


def test_a_provider_that_breaks_off_does_not_take_the_consumer_with_it(consumer):
    notifications = several(2)
    provider = FakeProvider(RuntimeError("a fault in the adapter"))
    delivery = consumer(provider)
    delivery.deliver([notifications[0].pk])
    delivery.deliver([notifications[1].pk])
    assert statuses_of(*notifications) == [Status.UNKNOWN, Status.SENT]


def test_a_provider_that_gives_too_few_answers_leaves_doubts(deliver):
    notifications = several(3)
    deliver(FakeProvider(ACCEPTED, None), *notifications)
    assert sorted(statuses_of(*notifications)) == [Status.SENT, Status.UNKNOWN, Status.UNKNOWN]


def test_what_a_slow_provider_has_not_been_asked_for_in_time_is_not_handed_over(deliver, monkeypatch):
    passed = 0.0
    clock = time.monotonic
    monkeypatch.setattr(delivery_module.time, "monotonic", lambda: clock() + passed)

    def slow(message):
        nonlocal passed
        passed += 20
        return ACCEPTED

    notifications = several(5)
    provider = FakeProvider(*[slow] * 5)
    deliver(provider, *notifications)
    # Whoever takes over after lease and grace must be the only one who sends.
    assert passed < (tracking.SENDING_LEASE + tracking.SENDING_GRACE).total_seconds()
    assert len(provider.handed_over) == 2
    assert sorted(statuses_of(*notifications)) == [Status.SENT] * 2 + [Status.UNKNOWN] * 3


# --- before the hand-over ---------------------------------------------------------------------------------------------
def test_while_the_provider_is_away_everything_waits_and_nothing_is_handed_over(deliver):
    notifications = several(3)
    provider = FakeProvider(connects=[away()])
    assert deliver(provider, *notifications) == 0
    assert provider.handed_over == []
    for notification in notifications:
        row = now_as(notification)
        assert (row.status, row.reason, row.tries_used) == (Status.ACCEPTED, "provider_down", 1)
        assert not is_due(notification)
        assert attempts_of(notification) == []


def test_a_provider_that_is_away_too_often_ends_it(deliver):
    (notification,) = several(1)
    for _ in range(MAX_ATTEMPTS):
        make_due(notification)
        deliver(FakeProvider(connects=[away()]), notification)
    row = now_as(notification)
    assert (row.status, row.reason) == (Status.FAILED, "attempts_exhausted")


def test_a_provider_that_fails_to_connect_for_an_unknown_reason_counts_as_away(deliver):
    notifications = several(2)
    assert deliver(FakeProvider(connects=[RuntimeError("a fault in the adapter")]), *notifications) == 0
    assert statuses_of(*notifications) == [Status.ACCEPTED] * 2
    assert now_as(notifications[0]).reason == "provider_down"


def test_a_provider_is_loaded_once_and_connected_for_every_batch(consumer):
    notifications = several(2)
    provider = FakeProvider()
    delivery = consumer(provider)
    for notification in notifications:
        delivery.deliver([notification.pk])
    assert provider.connect_count == 2
    assert statuses_of(*notifications) == [Status.SENT] * 2


def test_what_was_stolen_before_the_hand_over_is_not_sent(deliver):
    stolen, ours = several(2)

    def steal() -> None:
        Notification.objects.filter(pk=stolen.pk).update(claim_token=uuid.uuid4(), claimed_by="consumer-2")

    provider = FakeProvider(connects=[steal])
    assert deliver(provider, stolen, ours) == 1
    assert provider.ids == [ours.pk]
    row = now_as(stolen)
    assert (row.status, row.claimed_by, row.attempt_count) == (Status.CLAIMED, "consumer-2", 0)


def test_what_was_cancelled_before_the_hand_over_is_not_sent(deliver):
    cancelled, ours = several(2)
    provider = FakeProvider(connects=[lambda: outbox.cancel(cancelled.pk, who="Ann")])
    deliver(provider, cancelled, ours)
    assert provider.ids == [ours.pk]
    assert now_as(cancelled).status == Status.CANCELLED


def test_what_was_held_longer_than_its_lease_is_not_sent(deliver):
    (notification,) = several(1)
    provider = FakeProvider(connects=[lambda: age(notification, "lease_expires_at", timedelta(seconds=1))])
    assert deliver(provider, notification) == 0
    assert provider.handed_over == []


def test_what_cannot_be_handed_over_soon_after_the_claim_is_given_back(deliver, monkeypatch):
    monkeypatch.setattr(delivery_module, "HAND_OVER_WITHIN", timedelta(0))
    notifications = several(2)
    provider = FakeProvider()
    assert deliver(provider, *notifications) == 0
    assert provider.handed_over == []
    assert all(is_due(each) for each in notifications)


def test_what_is_not_to_be_sent_any_more_is_settled_beside_the_others(deliver):
    person, template = UserFactory(), a_template()
    unwanted, wanted = submit(person, template), submit(UserFactory(name="Bob"), template)
    Preference.objects.create(user=person, channel=Channel.EMAIL, is_enabled=False)
    provider = FakeProvider()
    deliver(provider, unwanted, wanted)
    assert provider.ids == [wanted.pk]
    assert statuses_of(unwanted, wanted) == [Status.SUPPRESSED, Status.SENT]


def test_a_batch_with_nothing_to_send_does_not_connect(deliver):
    person = UserFactory()
    notification = submit(person, a_template())
    person.delete()
    provider = FakeProvider()
    assert deliver(provider, notification) == 0
    assert provider.connect_count == 0


def test_an_empty_batch_and_unknown_ids_do_nothing(consumer):
    delivery = consumer(FakeProvider())
    assert delivery.deliver([]) == 0
    assert delivery.deliver([uuid.uuid4()]) == 0


def test_suspects_are_delivered_one_by_one_after_the_others(deliver):
    suspects, innocent = several(2), several(3)
    Notification.objects.filter(pk__in=[each.pk for each in suspects]).update(crash_count=outbox.SUSPECT_AFTER)
    provider = FakeProvider()
    deliver(provider, *suspects, *innocent)
    assert provider.batches == [3, 1, 1]
    assert statuses_of(*suspects, *innocent) == [Status.SENT] * 5
