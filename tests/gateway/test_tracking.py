"""The hand-over and the answers to it, in time and late."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from gateway import outbox, tracking
from gateway.channel_contract import Outcome
from gateway.models import DeliveryAttempt, Notification
from gateway.outbox import Held
from gateway.statuses import Status
from gateway.tracking import AttemptResult, Recorded
from tests.factories import AttemptFactory, DeviceFactory
from tests.gateway.ledger_scene import (
    ANSWERS,
    BOUNCED,
    BUSY,
    CUT_OFF,
    GIVEN_UP,
    REFUSED,
    RETRY,
    SENT,
    TAKEN,
    age,
    claimed_row,
    doubted,
    events_of,
    everything,
    handed_over,
    mark,
    open_attempts,
    record,
    sent_again,
    status_of,
)
from users.channels import Channel

pytestmark = pytest.mark.django_db


# --- the hand-over ----------------------------------------------------------------------------------------------------


def test_the_hand_over_is_marked_with_an_attempt_before_anything_leaves():
    row = claimed_row(attempt_count=1)
    assert open_attempts(mark(row, number=2), reports_delivery=True) == {row.pk}
    row.refresh_from_db()
    assert (row.status, row.reason, row.reason_data) == (Status.SENDING, "sending", {"provider": "capture"})
    assert (row.provider, row.attempt_count, row.awaits_news) == ("capture", 2, True)
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.number, attempt.provider, attempt.claim_token) == (2, "capture", row.claim_token)
    assert (attempt.device_id, attempt.outcome, attempt.ended_at) == (None, None, None)


def test_the_hand_over_has_a_longer_lease_than_the_claim():
    row = claimed_row()
    open_attempts(mark(row))
    assert tracking.SENDING_LEASE > outbox.CLAIM_LEASE
    assert Notification.objects.filter(
        lease_expires_at__gt=Now() + outbox.CLAIM_LEASE, lease_expires_at__lte=Now() + tracking.SENDING_LEASE
    ).exists()


def test_a_push_has_one_attempt_for_each_device():
    row = claimed_row(channel=Channel.PUSH)
    devices = [device.pk for device in DeviceFactory.create_batch(2, user=row.user)]
    open_attempts(mark(row, *devices))
    assert list(DeliveryAttempt.objects.values_list("number", "device_id")) == [(1, device) for device in devices]


def test_in_a_batch_only_those_still_held_are_handed_over():
    mine, stolen, cancelled, late = (claimed_row() for _ in range(4))
    outbox.cancel(cancelled.pk, who="Ann")
    age(late, lease_expires_at={"seconds": 1})
    marks = [mark(mine), mark(stolen, token=uuid4()), mark(cancelled), mark(late)]
    assert open_attempts(*marks) == {mine.pk}
    assert [status_of(row) for row in (mine, stolen, cancelled, late)] == ["sending", "claimed", "cancelled", "claimed"]
    assert DeliveryAttempt.objects.get().notification_id == mine.pk


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "verdict", "status"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_kept_with_its_attempt_and_the_status_follows(answer, verdict, status):
    row, attempt = handed_over()
    assert record(row, attempt, answer, verdict) == {row.pk}
    row.refresh_from_db()
    attempt.refresh_from_db()
    assert (row.status, row.reason, row.tries_used) == (status, verdict.reason, int(verdict.uses_attempt))
    assert (attempt.outcome, attempt.error_code, attempt.detail) == (answer.outcome, answer.error_code, answer.detail)
    assert (attempt.provider_code, attempt.provider_message_id) == (answer.provider_code, answer.provider_message_id)
    assert attempt.retry_after == (answer.retry_after and 90)
    assert attempt.duration_ms == 12
    assert attempt.started_at - timedelta(hours=1) < attempt.ended_at
    assert events_of(row) == [verdict.event or status.value]


def test_what_was_sent_says_when():
    row, attempt = handed_over()
    record(row, attempt, TAKEN, SENT)
    assert Notification.objects.filter(sent_at__gt=Now() - timedelta(minutes=5), sent_at__lte=Now()).exists()


def test_a_doubt_keeps_the_token_and_everything_else_lets_go_of_it():
    for answer, verdict, status in ANSWERS.values():
        row, attempt = handed_over()
        record(row, attempt, answer, verdict)
        left = Notification.objects.values_list("claim_token", flat=True).get(pk=row.pk)
        assert left == (row.claim_token if status is Status.UNKNOWN else None)


@pytest.mark.parametrize(("answer", "verdict", "status"), ANSWERS.values(), ids=ANSWERS)
def test_recording_twice_changes_nothing(answer, verdict, status):
    row, attempt = handed_over()
    record(row, attempt, answer, verdict)
    before = everything()
    assert record(row, attempt, answer, verdict) == set()
    after = everything()
    if answer is CUT_OFF:  # a doubt gives way to whatever comes later, even to itself
        before[1][0].pop("ended_at"), after[1][0].pop("ended_at")
    assert after == before


def test_a_batch_may_hold_all_kinds_of_answers():
    batch = [(*handed_over(), answer, verdict) for answer, verdict, _ in ANSWERS.values()]
    recorded = [
        Recorded(
            held=Held(row.pk, row.claim_token),
            provider="capture",
            attempts=(AttemptResult(attempt_id=attempt.pk, result=answer),),
            verdict=verdict,
        )
        for row, attempt, answer, verdict in batch
    ]
    assert tracking.record_outcomes(recorded) == {row.pk for row, *_ in batch}
    assert [status_of(row) for row, *_ in batch] == [status for *_, status in ANSWERS.values()]


def test_an_attempt_keeps_its_first_answer():
    row, attempt = handed_over()
    record(row, attempt, BUSY, RETRY)
    record(row, attempt, TAKEN, SENT)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.provider_code) == (Outcome.TRANSIENT, "451 4.7.1")


@pytest.mark.parametrize("answers", [(BUSY, TAKEN), (CUT_OFF, BUSY), (CUT_OFF, BUSY, TAKEN)])
def test_told_together_the_first_answer_counts_as_if_told_one_after_the_other(answers):
    row, attempt = handed_over()
    told = tuple(AttemptResult(attempt_id=attempt.pk, result=answer) for answer in answers)
    held = Held(row.pk, row.claim_token)
    tracking.record_outcomes([Recorded(held=held, provider="capture", attempts=told, verdict=RETRY)])
    attempt.refresh_from_db()
    assert attempt.outcome == Outcome.TRANSIENT


@pytest.mark.parametrize(("answer", "verdict"), [(TAKEN, SENT), (BUSY, RETRY), (REFUSED, GIVEN_UP)])
def test_a_doubtful_attempt_gives_way_to_an_answer(answer, verdict):
    row, attempt = doubted()
    record(row, attempt, answer, verdict)
    attempt.refresh_from_db()
    assert attempt.outcome == answer.outcome


def test_a_journal_that_breaks_off_closes_attempts_and_concludes_nothing():
    row, attempt = handed_over()
    other = AttemptFactory(notification=row)
    assert record(row, attempt, BUSY, None) == set()
    assert status_of(row) == Status.SENDING
    assert list(DeliveryAttempt.objects.values_list("pk", "outcome")) == [(attempt.pk, "transient"), (other.pk, None)]
    assert events_of(row) == []


# --- answers that come late -------------------------------------------------------------------------------------------


def test_a_late_acceptance_proves_a_doubt_sent():
    row, attempt = doubted()
    assert record(row, attempt, TAKEN, SENT) == {row.pk}
    row.refresh_from_db()
    assert (row.status, row.reason, row.claim_token, row.possible_duplicate) == (Status.SENT, "sent", None, False)
    assert row.sent_at is not None
    assert events_of(row) == ["unknown", "late_answer"]
    before = everything()
    assert record(row, attempt, TAKEN, SENT) == set()
    assert everything() == before


@pytest.mark.parametrize(("answer", "verdict"), [(BUSY, RETRY), (REFUSED, GIVEN_UP), (REFUSED, BOUNCED)])
def test_a_late_refusal_is_kept_and_settles_nothing(answer, verdict):
    row, attempt = doubted()
    assert record(row, attempt, answer, verdict) == set()
    assert status_of(row) == Status.UNKNOWN
    assert events_of(row) == ["unknown"]


def test_a_late_acceptance_of_what_is_sent_again_is_noted_once_and_not_applied():
    row, attempt = sent_again()
    [second] = outbox.claim([row.pk], channel=row.channel, holder="consumer-2")[0]
    before = Notification.objects.filter(pk=row.pk).values().get()

    for _ in range(2):  # a consumer that wakes up, and the replay of its journal after it died
        assert record(row, attempt, TAKEN, SENT) == set()

    assert Notification.objects.filter(pk=row.pk).values().get() == before
    attempt.refresh_from_db()
    assert attempt.outcome == Outcome.ACCEPTED
    assert events_of(row) == ["unknown", "possible_duplicate", "late_answer"]
    assert row.events.get(type="late_answer").data == {"provider": "capture", "token": str(row.claim_token)}
    assert open_attempts(mark(row, token=second.claim_token, number=2)) == {row.pk}


def test_a_late_acceptance_does_not_settle_the_doubt_of_a_later_holder():
    row, attempt = sent_again()
    [second] = outbox.claim([row.pk], channel=row.channel, holder="consumer-2")[0]
    open_attempts(mark(row, token=second.claim_token, number=2))
    tracking.doubt_stalled(limit=10, whoever_holds=True)
    record(row, attempt, TAKEN, SENT)
    assert status_of(row) == Status.UNKNOWN
    assert "late_answer" in events_of(row)


def test_a_late_acceptance_after_the_end_is_noted():
    row, attempt = doubted()
    tracking.settle_by_hand(row.pk, who="Ann", arrived=False)
    record(row, attempt, TAKEN, SENT)
    assert status_of(row) == Status.FAILED
    assert events_of(row) == ["unknown", "failed", "late_answer"]
