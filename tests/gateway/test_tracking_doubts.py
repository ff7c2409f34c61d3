"""What becomes of a hand-over nobody reported back from."""

import pytest

from gateway import outbox, tracking
from gateway.channel_contract import EventType, Outcome
from gateway.models import DeliveryAttempt, Notification
from gateway.statuses import Status
from templates_app.models import OnUnknown, Template
from tests.factories import AttemptFactory, PublishedVersionFactory
from tests.gateway.ledger_scene import (
    BUSY,
    RETRY,
    age,
    doubted,
    events_of,
    handed_over,
    news,
    record,
    sent_again,
    status_of,
)
from users.channels import Channel

pytestmark = pytest.mark.django_db


# --- doubts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds_over", "count"),
    [(-30, 0), (1, 0), (45, 0), (61, 1)],
    ids=["under its lease", "lease over", "in its grace", "grace over"],
)
def test_the_sweeper_doubts_only_after_lease_and_grace(seconds_over, count):
    row, _ = handed_over()
    age(row, lease_expires_at={"seconds": seconds_over})
    assert tracking.doubt_stalled(limit=10) == count
    assert status_of(row) == (Status.UNKNOWN if count else Status.SENDING)


def test_at_a_start_nobody_can_be_alive_so_every_hand_over_is_doubted():
    row, _ = handed_over()
    assert tracking.doubt_stalled(limit=10, whoever_holds=True) == 1
    assert status_of(row) == Status.UNKNOWN


def test_a_doubt_says_so_with_the_row_and_the_attempts_without_an_answer():
    row, attempt = handed_over(channel=Channel.PUSH)
    answered = AttemptFactory(notification=row, outcome=Outcome.PERMANENT)
    tracking.doubt_stalled(limit=10, whoever_holds=True)
    row.refresh_from_db()
    assert (row.reason, row.reason_data, row.tries_used) == ("outcome_unknown", {"provider": "capture"}, 1)
    assert row.claim_token is not None
    outcomes = dict(DeliveryAttempt.objects.values_list("pk", "outcome"))
    assert outcomes == {attempt.pk: "unknown", answered.pk: "permanent"}
    assert DeliveryAttempt.objects.get(pk=attempt.pk).ended_at is not None
    assert events_of(row) == ["unknown"]


def test_no_more_are_doubted_or_settled_at_once_than_asked_for():
    rows = [handed_over()[0] for _ in range(3)]
    assert [tracking.doubt_stalled(limit=2, whoever_holds=True) for _ in range(3)] == [2, 1, 0]
    for row in rows:
        age(row, updated_at={"minutes": 10})
    assert [tracking.settle_unknown(limit=2, max_attempts=lambda channel, provider: 8) for _ in range(3)] == [2, 1, 0]


def test_news_that_came_before_the_doubt_settles_it():
    row, _ = handed_over()
    tracking.record_news([news(row, EventType.DELIVERED)])
    assert status_of(row) == Status.SENDING
    assert tracking.doubt_stalled(limit=10, whoever_holds=True) == 1
    assert status_of(row) == Status.DELIVERED


RESEND, HOLD = OnUnknown.RESEND, OnUnknown.HOLD


@pytest.mark.parametrize(
    ("rule", "channel", "waited", "status"),
    [
        (RESEND, Channel.EMAIL, {"seconds": 45}, "unknown"),
        (RESEND, Channel.EMAIL, {"seconds": 61}, "accepted"),
        (RESEND, Channel.PUSH, {"seconds": 1}, "unknown"),
        (RESEND, Channel.PUSH, {"seconds": 11}, "accepted"),
        (HOLD, Channel.EMAIL, {"days": 2, "hours": 23}, "unknown"),
        (HOLD, Channel.PUSH, {"days": 2, "hours": 23}, "unknown"),
        (HOLD, Channel.EMAIL, {"days": 3, "hours": 1}, "failed"),
        (HOLD, Channel.PUSH, {"days": 3, "hours": 1}, "failed"),
    ],
)
def test_a_doubt_is_settled_by_the_rule_of_its_template_after_the_wait_of_its_channel(rule, channel, waited, status):
    version = PublishedVersionFactory(template__on_unknown=rule)
    row, _ = doubted(channel=channel, template_version=version)
    age(row, updated_at=waited)
    assert tracking.settle_unknown(limit=10, max_attempts=lambda channel, provider: 8) == int(status != "unknown")
    assert status_of(row) == status


def test_what_is_sent_again_is_flagged_due_at_once_and_fenced():
    row, attempt = sent_again()
    found = Notification.objects.get(pk=row.pk)
    assert (found.possible_duplicate, found.claim_token) == (True, None)
    assert outbox.due_ids(channel=row.channel, limit=10) == [row.pk]
    assert events_of(row) == ["unknown", "possible_duplicate"]
    assert record(row, attempt, BUSY, RETRY) == set()


def test_a_doubt_that_has_used_up_its_tries_is_given_up():
    row, _ = doubted()
    age(row, updated_at={"minutes": 10})
    tracking.settle_unknown(limit=10, max_attempts=lambda channel, provider: 1)
    found = Notification.objects.get(pk=row.pk)
    assert (found.status, found.reason, found.possible_duplicate) == (Status.FAILED, "outcome_unknown", False)


def test_the_rule_of_a_template_counts_as_it_is_now():
    row, _ = doubted()
    Template.objects.update(on_unknown=HOLD)
    age(row, updated_at={"minutes": 10})
    assert tracking.settle_unknown(limit=10, max_attempts=lambda channel, provider: 8) == 0


@pytest.mark.parametrize(
    ("arrived", "status", "reason"), [(True, "sent", "sent"), (False, "failed", "outcome_unknown")]
)
def test_an_operator_settles_a_doubt(arrived, status, reason):
    row, _ = doubted()
    assert tracking.settle_by_hand(row.pk, who="Ann", arrived=arrived)
    found = Notification.objects.get(pk=row.pk)
    assert (found.status, found.reason, found.reason_data) == (status, reason, {"who": "Ann"})
    assert (found.sent_at is not None) is arrived
    assert not tracking.settle_by_hand(row.pk, who="Bob", arrived=not arrived)
