"""What happens to a notification before the hand-over: found, claimed, stolen, left behind by the dead."""

import threading
from uuid import uuid4

import pytest
from django.db import connection

from gateway import outbox, statuses
from gateway.models import DeliveryAttempt, Notification
from gateway.outbox import Verdict
from gateway.statuses import Status
from tests.factories import ago, ahead
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


# --- found ------------------------------------------------------------------------------------------------------------


def test_due_are_those_whose_moment_has_come_most_urgent_first_then_oldest():
    [late] = some(1, priority=5, available_at=ago(minutes=1))
    [early] = some(1, priority=5, available_at=ago(minutes=2))
    [urgent] = some(1, priority=8, available_at=ago(seconds=1))
    some(1, available_at=ahead(minutes=1))
    some(1, expires_at=ago(seconds=1))
    some(1, channel=Channel.PUSH)
    some(1, status=Status.CLAIMED)
    assert outbox.due_ids(channel=EMAIL, limit=10) == ids_of([urgent, early, late])
    assert outbox.due_ids(channel=EMAIL, limit=2) == ids_of([urgent, early])


# --- claimed ----------------------------------------------------------------------------------------------------------


def test_a_second_consumer_gets_nothing():
    rows = some(3)
    assert len(claim(*rows)) == 3
    assert outbox.claim(ids_of(rows), channel=EMAIL, holder="consumer-2") == ([], [])
    assert set(Notification.objects.values_list("claimed_by", flat=True)) == {"consumer-1"}


def test_an_id_that_is_named_twice_is_claimed_once():
    [row] = some(1)
    assert len(claim(row, row)) == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_consumers_that_claim_at_the_same_moment_share_the_rows():
    ids = ids_of(some(40))
    start = threading.Barrier(4)
    taken = []

    def consumer(number):
        try:
            start.wait()
            for part in (ids[number * 10 :] + ids[: number * 10])[::5], ids:
                taken.extend(ids_of(outbox.claim(part, channel=EMAIL, holder=f"consumer-{number}")[0]))
        finally:
            connection.close()

    threads = [threading.Thread(target=consumer, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(ids)


def test_the_most_urgent_are_claimed_first():
    rows = [some(1, priority=priority)[0] for priority in (2, 10, 5)]
    assert [row.priority for row in claim(*rows)] == [10, 5, 2]


def test_a_claim_gives_token_holder_and_lease():
    rows = some(2)
    first, second = claim(*rows)
    assert first.claim_token == second.claim_token is not None
    for row in rows:
        row.refresh_from_db()
        assert (row.status, row.claim_token, row.claimed_by) == (Status.CLAIMED, first.claim_token, "consumer-1")
        assert lies_ahead(row, "lease_expires_at", outbox.CLAIM_LEASE)
        assert row.crash_count == 0


def test_every_claim_has_its_own_token():
    tokens = {claim(row)[0].claim_token for row in some(3)}
    assert len(tokens) == 3


def test_what_lies_in_the_broker_is_claimed_like_what_waits():
    [queued] = some(1, status=Status.QUEUED)
    assert ids_of(claim(queued)) == [queued.pk]


@pytest.mark.parametrize(
    "columns",
    [
        {"available_at": lambda: ahead(minutes=1)},
        {"expires_at": lambda: ago(seconds=1)},
        {"expires_at": lambda: ago(seconds=1), "status": lambda: Status.QUEUED},
        {"channel": lambda: Channel.PUSH},
    ],
    ids=["not due yet", "expired", "expired in the broker", "another channel's"],
)
def test_what_is_not_to_be_sent_now_is_not_claimed(columns):
    [row] = some(1, **{name: value() for name, value in columns.items()})
    assert outbox.claim([row.pk], channel=EMAIL, holder="consumer-1") == ([], [])


def test_expired_rows_are_not_stolen_either():
    [row] = some(1, status=Status.CLAIMED, lease_expires_at=ago(seconds=1), expires_at=ago(seconds=1))
    assert claim(row) == []


def test_an_unknown_id_claims_nothing():
    assert outbox.claim([uuid4()], channel=EMAIL, holder="consumer-1") == ([], [])


# --- stolen -----------------------------------------------------------------------------------------------------------


def test_a_claim_under_a_lease_is_not_stolen():
    [row] = some(1)
    claim(row)
    assert claim(row, holder="consumer-2") == []


def test_a_claim_whose_lease_is_over_is_stolen_and_counts_as_a_crash():
    [row] = some(1)
    [first] = claim(row)
    end_lease(row)
    [second] = claim(row, holder="consumer-2")
    row.refresh_from_db()
    assert second.claim_token == row.claim_token != first.claim_token
    assert (row.claimed_by, row.crash_count) == ("consumer-2", 1)
    assert lies_ahead(row, "lease_expires_at", outbox.CLAIM_LEASE)


def test_a_claim_whose_hint_comes_again_is_stolen_at_once_and_counts_as_a_crash():
    [row] = some(1)
    [first] = claim(row)
    [second] = outbox.claim([row.pk], channel=EMAIL, holder="consumer-2", abandoned={row.pk})[0]
    row.refresh_from_db()
    assert second.claim_token == row.claim_token != first.claim_token
    assert (row.claimed_by, row.crash_count) == ("consumer-2", 1)
    assert not may_hand_over(first)


def test_a_hint_that_comes_again_to_the_holder_itself_steals_nothing():
    [row] = some(1)
    claim(row, holder="consumer-1")
    assert outbox.claim([row.pk], channel=EMAIL, holder="consumer-1", abandoned={row.pk}) == ([], [])


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACCEPTED, Status.QUEUED, Status.CLAIMED}))
def test_a_hint_that_comes_again_takes_nothing_that_was_handed_over_or_has_ended(status):
    [row] = some(1, status=status)
    assert outbox.claim([row.pk], channel=EMAIL, holder="consumer-2", abandoned={row.pk}) == ([], [])


def test_what_is_not_abandoned_is_not_stolen_with_what_is():
    mine, others = some(2)
    claim(mine, others)
    taken, _ = outbox.claim([mine.pk, others.pk], channel=EMAIL, holder="consumer-2", abandoned={others.pk})
    assert ids_of(taken) == [others.pk]


def test_a_holder_that_was_overtaken_can_neither_hand_over_nor_settle_nor_release():
    [row] = some(1)
    [first] = claim(row)
    end_lease(row)
    [second] = claim(row, holder="consumer-2")
    before = Notification.objects.filter(pk=row.pk).values().get()

    assert not may_hand_over(first)
    assert outbox.settle([(held(first), Verdict(change=statuses.SUPPRESS, reason="opt_out"))]) == set()
    outbox.release([held(first)])

    assert Notification.objects.filter(pk=row.pk).values().get() == before
    assert not DeliveryAttempt.objects.exists()
    assert events_and_reasons_of(row) == []
    assert may_hand_over(second)


def test_a_holder_whose_lease_is_over_may_not_hand_over():
    [row] = some(1)
    [mine] = claim(row)
    end_lease(row)
    assert not may_hand_over(mine)


# --- crashes ----------------------------------------------------------------------------------------------------------


def test_suspects_come_alone():
    innocent = some(2)
    suspects = some(2, crash_count=outbox.SUSPECT_AFTER)
    rows = innocent + suspects

    taken, rest = outbox.claim(ids_of(rows), channel=EMAIL, holder="consumer-1")
    assert set(ids_of(taken)) == set(ids_of(innocent))
    assert set(rest) == set(ids_of(suspects))

    [one], [other] = outbox.claim(rest, channel=EMAIL, holder="consumer-1")
    assert {one.pk, other} == set(rest)
    [last], none = outbox.claim([other], channel=EMAIL, holder="consumer-1")
    assert (last.pk, none) == (other, [])


def test_what_a_dead_consumer_had_claimed_is_due_again_and_counts_as_a_crash():
    [row] = some(1)
    claim(row)
    end_lease(row)
    assert outbox.release_stalled(limit=10) == 1
    row.refresh_from_db()
    assert (row.status, row.crash_count, row.claim_token) == (Status.ACCEPTED, 1, None)
    assert outbox.due_ids(channel=EMAIL, limit=10) == [row.pk]
    assert events_and_reasons_of(row) == [("released", "waiting")]


def test_what_is_under_a_lease_is_not_given_back_unless_nobody_can_be_alive():
    [row] = some(1)
    claim(row)
    assert outbox.release_stalled(limit=10) == 0
    assert outbox.release_stalled(limit=10, whoever_holds=True) == 1


def test_no_more_rows_are_given_back_at_once_than_asked_for():
    some(3, status=Status.CLAIMED, lease_expires_at=ago(seconds=1))
    assert [outbox.release_stalled(limit=2) for _ in range(3)] == [2, 1, 0]


def die_over(*rows):
    """A consumer claims what it gets of the rows and dies; returns what it had claimed."""
    claimed = claim(*rows)
    end_lease(*claimed)
    outbox.release_stalled(limit=10)
    return claimed


def test_after_five_crashes_it_is_set_aside():
    [row] = some(1)
    for _ in range(5):
        row.refresh_from_db()
        assert row.status == Status.ACCEPTED
        die_over(row)
    row.refresh_from_db()
    assert (row.status, row.reason, row.reason_data) == (Status.FAILED, "poison", {"n": "5"})
    assert (row.crash_count, row.claim_token) == (5, None)
    assert events_and_reasons_of(row) == [("released", "waiting")] * 4 + [("failed", "poison")]
    assert die_over(row) == []


def test_what_would_be_poison_when_stolen_is_left_to_the_sweeper():
    [row] = some(1, status=Status.CLAIMED, lease_expires_at=ago(seconds=1), crash_count=outbox.POISON_AFTER - 1)
    assert claim(row) == []
    outbox.release_stalled(limit=10)
    row.refresh_from_db()
    assert (row.status, row.reason) == (Status.FAILED, "poison")


def test_the_neighbours_of_a_poisonous_one_are_soon_left_alone():
    poison, *neighbours = some(3)
    for _ in range(2):
        die_over(poison, *neighbours)
    # From here on each comes alone, and only the poisonous one kills its consumer.
    for _ in range(3):
        die_over(poison)
    assert len(claim(*neighbours)) == 1
    poison.refresh_from_db()
    assert poison.status == Status.FAILED
    assert {row.crash_count for row in Notification.objects.exclude(pk=poison.pk)} == {2}
