"""How a claim ends before the hand-over: given back, settled, expired, cancelled."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import F
from django.db.models.functions import Now

from gateway import outbox, statuses
from gateway.models import Notification, NotificationEvent, WaitingFor
from gateway.outbox import AlreadyLeft, Verdict
from gateway.statuses import Status
from tests.factories import ago
from tests.gateway.ledger_scene import (
    claim,
    end_lease,
    events_and_reasons_of,
    held,
    ids_of,
    lies_ahead,
    may_hand_over,
    some,
)
from users.channels import Channel

pytestmark = pytest.mark.django_db
EMAIL = Channel.EMAIL


# --- given back and settled -------------------------------------------------------------------------------------------


def test_what_is_released_is_due_at_once_and_nobody_is_blamed():
    [row] = some(1)
    [mine] = claim(row)
    outbox.release([held(mine)])
    row.refresh_from_db()
    assert (row.status, row.claim_token, row.lease_expires_at) == (Status.ACCEPTED, None, None)
    assert (row.crash_count, row.tries_used) == (0, 0)
    assert outbox.due_ids(channel=EMAIL, limit=10) == [row.pk]
    assert events_and_reasons_of(row) == [("released", "waiting")]


def test_a_verdict_writes_what_it_says():
    [row] = some(1)
    [mine] = claim(row)
    verdict = Verdict(
        change=statuses.POSTPONE,
        reason="provider_down",
        data={"provider": "smtp"},
        waiting_for=WaitingFor.RETRY,
        available=timedelta(minutes=5),
        uses_attempt=True,
        columns={"provider": "smtp"},
        event="retrying",
    )
    assert outbox.settle([(held(mine), verdict)]) == {row.pk}
    row.refresh_from_db()
    assert (row.status, row.reason, row.reason_data) == (Status.ACCEPTED, "provider_down", {"provider": "smtp"})
    assert (row.waiting_for, row.tries_used, row.provider) == ("retry", 1, "smtp")
    assert lies_ahead(row, "available_at", timedelta(minutes=5))
    assert list(row.events.values_list("type", "reason", "data")) == [
        ("retrying", "provider_down", {"provider": "smtp"})
    ]


def test_a_verdict_may_name_a_moment_or_leave_it_as_it_is():
    rows = claim(*some(2))
    moment = Notification.objects.values_list(Now() + timedelta(hours=8), flat=True)[0]
    before = dict(Notification.objects.values_list("pk", "available_at"))
    first, second = (held(row) for row in rows)
    outbox.settle(
        [
            (first, Verdict(change=statuses.POSTPONE, reason="quiet_hours", available=moment)),
            (second, Verdict(change=statuses.SUPPRESS, reason="opt_out")),
        ]
    )
    found = dict(Notification.objects.values_list("pk", "available_at"))
    assert found == {first.id: moment, second.id: before[second.id]}


def test_in_a_batch_each_gets_its_own_verdict_and_those_overtaken_stay():
    mine = claim(*some(4))
    end_lease(mine[3])
    [theirs] = claim(mine[3], holder="consumer-2")
    opted_out = Verdict(change=statuses.SUPPRESS, reason="opt_out", data={"category": "news"})
    no_address = Verdict(change=statuses.SUPPRESS, reason="no_address", data={"name": "Ann"})
    verdicts = zip(map(held, mine), [opted_out, no_address, opted_out, opted_out], strict=True)

    assert outbox.settle(list(verdicts)) == set(ids_of(mine[:3]))

    found = {row.pk: row for row in Notification.objects.all()}
    assert [found[row.pk].reason for row in mine] == ["opt_out", "no_address", "opt_out", "waiting"]
    assert found[mine[1].pk].reason_data == {"name": "Ann"}
    assert found[mine[3].pk].claim_token == theirs.claim_token
    assert NotificationEvent.objects.filter(type="suppressed").count() == NotificationEvent.objects.count() == 3


def test_verdicts_with_the_same_words_and_different_waits_are_told_apart():
    rows = claim(*some(2))
    waits = [timedelta(minutes=2), timedelta(minutes=4)]
    verdicts = [Verdict(change=statuses.POSTPONE, reason="rate_limited", available=wait) for wait in waits]
    outbox.settle(list(zip(map(held, rows), verdicts, strict=True)))
    assert all(lies_ahead(row, "available_at", wait) for row, wait in zip(rows, waits, strict=True))


def test_verdicts_with_the_same_words_and_different_values_are_told_apart():
    rows = claim(*some(2))
    verdicts = [Verdict(change=statuses.SUPPRESS, reason="no_device", data={"name": name}) for name in ("Ann", "Bob")]
    outbox.settle(list(zip(map(held, rows), verdicts, strict=True)))
    found = dict(Notification.objects.values_list("pk", "reason_data"))
    assert [found[row.pk]["name"] for row in rows] == ["Ann", "Bob"]


def test_nothing_to_settle_settles_nothing():
    some(1)
    assert outbox.settle([]) == set()


def test_the_moment_of_the_last_change_is_kept():
    [row] = some(1)
    Notification.objects.update(updated_at=ago(days=1))
    outbox.cancel(row.pk, who="Ann")
    assert Notification.objects.filter(pk=row.pk, updated_at__gt=F("created_at") - timedelta(hours=1)).exists()


# --- too late ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", sorted(statuses.EXPIRE.sources))
def test_what_was_not_handed_over_in_time_expires(status):
    [row] = some(1, status=status, expires_at=ago(seconds=1))
    some(1, status=status)
    assert outbox.expire_overdue(limit=10) == 1
    row.refresh_from_db()
    assert (row.status, row.reason, row.claim_token) == (Status.EXPIRED, "expired", None)
    assert row.reason_data == {"t": f"{row.expires_at:%Y-%m-%d %H:%M} UTC"}
    assert events_and_reasons_of(row) == [("expired", "expired")]


def test_a_consumer_that_prepares_what_expires_is_fenced():
    [row] = some(1)
    [mine] = claim(row)
    Notification.objects.filter(pk=row.pk).update(expires_at=ago(seconds=1))
    outbox.expire_overdue(limit=10)
    assert not may_hand_over(mine)


def test_no_more_expire_at_once_than_asked_for():
    some(3, expires_at=ago(seconds=1))
    assert [outbox.expire_overdue(limit=2) for _ in range(3)] == [2, 1, 0]


# --- cancelled --------------------------------------------------------------------------------------------------------


def test_a_consumer_that_prepares_what_is_cancelled_is_fenced():
    [row] = some(1)
    [mine] = claim(row)
    outbox.cancel(row.pk, who="the client")
    assert not may_hand_over(mine)
    assert outbox.settle([(held(mine), Verdict(change=statuses.POSTPONE, reason="quiet_hours"))]) == set()
    row.refresh_from_db()
    assert (row.status, row.claim_token) == (Status.CANCELLED, None)


def test_who_cancelled_and_why_is_kept():
    rows = some(2)
    outbox.cancel(rows[0].pk, who="Ann", why="wrong words")
    outbox.cancel(rows[1].pk, who="the client")
    data = dict(Notification.objects.values_list("pk", "reason_data"))
    assert data == {rows[0].pk: {"who": "Ann", "reason": "wrong words"}, rows[1].pk: {"who": "the client"}}


def test_cancelling_again_changes_nothing():
    [row] = some(1)
    outbox.cancel(row.pk, who="Ann")
    outbox.cancel(row.pk, who="Bob")
    row.refresh_from_db()
    assert row.reason_data == {"who": "Ann"}
    assert events_and_reasons_of(row) == [("cancelled", "cancelled")]


@pytest.mark.parametrize("status", sorted(set(Status) - statuses.CANCEL.sources - {Status.CANCELLED}))
def test_what_has_left_cannot_be_cancelled_and_says_where_it_is(status):
    [row] = some(1, status=status)
    with pytest.raises(AlreadyLeft) as left:
        outbox.cancel(row.pk, who="Ann")
    assert left.value.status == status


def test_what_does_not_exist_cannot_be_cancelled():
    with pytest.raises(Notification.DoesNotExist):
        outbox.cancel(UUID(int=0), who="Ann")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_cannot_be_counted_is_changed_all_the_same(monkeypatch):
    def fail(changes):
        raise ZeroDivisionError("a fault of ours")

    [row] = some(1)
    [mine] = claim(row)
    monkeypatch.setattr(outbox.metrics, "count_changes", fail)

    outbox.release([held(mine)])

    row.refresh_from_db()
    assert row.status == Status.ACCEPTED
