"""Another life for dead letters: which ones get it, and which never do."""

import threading
from uuid import uuid4

import pytest
from django.db import connection, transaction

from gateway import outbox, replaying, tracking
from gateway.channel_contract import EventType, Outcome
from gateway.models import Notification
from gateway.statuses import Status
from tests.factories import AttemptFactory, NotificationFactory, ago
from tests.gateway.ledger_scene import news, status_of
from tests.rabbitmq_server import PATIENCE, somebody_waits, until

pytestmark = pytest.mark.django_db


def test_a_dead_letter_gets_another_life_under_the_same_id():
    row = NotificationFactory(
        status=Status.FAILED,
        reason="rejected",
        tries_used=8,
        crash_count=5,
        expires_at=ago(days=1),
        dead_lettered_at=ago(days=1),
    )
    assert replaying.replay([row.pk], who="Ann", why="address corrected") == {row.pk}
    found = Notification.objects.get()
    assert (found.status, found.reason, found.tries_used, found.crash_count) == (Status.ACCEPTED, "waiting", 0, 0)
    assert not found.possible_duplicate
    assert found.dead_lettered_at is None  # the next end is told anew
    assert outbox.due_ids(channel=row.channel, limit=10) == [row.pk]
    event = row.events.get()
    assert (event.type, event.data) == ("replayed", {"who": "Ann", "why": "address corrected"})


def test_a_dead_letter_that_ended_in_doubt_is_flagged_when_it_is_replayed():
    doubtful = NotificationFactory(status=Status.FAILED, reason="outcome_unknown")
    refused = NotificationFactory(status=Status.FAILED, reason="rejected")
    replaying.replay([doubtful.pk, refused.pk], who="Ann", why="again", include_doubtful=True)
    flags = dict(Notification.objects.values_list("pk", "possible_duplicate"))
    assert flags == {doubtful.pk: True, refused.pk: False}


def test_only_dead_letters_are_replayed():
    failed = NotificationFactory(status=Status.FAILED)
    sent = NotificationFactory(status=Status.SENT)
    assert replaying.replay([failed.pk, sent.pk, uuid4()], who="Ann", why="again") == {failed.pk}
    assert replaying.replay([failed.pk], who="Bob", why="again") == set()


def given_up(outcome=None, **columns):
    """A dead letter with one attempt that came to that."""
    row = NotificationFactory(status=Status.FAILED, reason="attempts_exhausted", **columns)
    AttemptFactory(notification=row, outcome=outcome, claim_token=uuid4())
    return row


def replayed(*rows, **how):
    return replaying.replay([row.pk for row in rows], who="Ann", why="again", **how)


@pytest.mark.parametrize("include_doubtful", [False, True])
def test_what_a_provider_has_taken_is_never_replayed(include_doubtful):
    assert replayed(given_up(Outcome.ACCEPTED), include_doubtful=include_doubtful) == set()


def test_what_a_provider_has_told_news_of_is_never_replayed():
    row = given_up(Outcome.UNKNOWN)
    tracking.record_news([news(row, EventType.DELIVERED)])
    assert replayed(row, include_doubtful=True) == set()


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, None])
def test_what_may_have_gone_out_is_replayed_only_when_asked_for_and_flagged(outcome):
    doubtful, clear = given_up(outcome), given_up(Outcome.TRANSIENT)
    assert replayed(doubtful, clear) == {clear.pk}
    assert replayed(doubtful, include_doubtful=True) == {doubtful.pk}
    assert dict(Notification.objects.values_list("pk", "possible_duplicate")) == {doubtful.pk: True, clear.pk: False}


def test_what_was_discarded_is_not_replayed():
    assert replayed(given_up(Outcome.TRANSIENT, discarded_at=ago(days=1))) == set()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_late_answer_that_is_just_being_written_down_is_waited_for(on_postgresql):
    row = given_up(Outcome.UNKNOWN)
    attempt = row.attempts.get()
    asked, found = threading.Event(), []

    def replay_elsewhere():
        asked.set()
        found.append(replayed(row, include_doubtful=True))
        connection.close()

    with transaction.atomic():
        row.attempts.filter(pk=attempt.pk).update(outcome=Outcome.ACCEPTED)
        thread = threading.Thread(target=replay_elsewhere)
        thread.start()
        assert asked.wait(PATIENCE)
        until(somebody_waits, "the wait for the lock")
    thread.join(PATIENCE)
    assert found == [set()]
    assert status_of(row) == Status.FAILED


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_operators_each_dead_letter_is_replayed_by_one(on_postgresql):
    rows, found = [given_up(Outcome.TRANSIENT) for _ in range(20)], []
    together = threading.Barrier(2)

    def replay_elsewhere():
        together.wait(PATIENCE)
        found.append(replayed(*rows))
        connection.close()

    threads = [threading.Thread(target=replay_elsewhere) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sum(map(len, found)) == 20
    assert {row.events.count() for row in rows} == {1}
