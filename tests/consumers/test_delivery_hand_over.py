"""A whole hand-over: how large it is, how it ends, how its answers reach the database whatever happens."""

import errno
import threading
from datetime import timedelta

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection

from channels_push.channel import PushChannel
from consumers import delivery as delivery_module
from consumers.journal_replay import replay_journals
from gateway import tracking
from gateway.channel_contract import Outcome
from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.engine import (
    RULES,
    a_template,
    attempts_of,
    is_due,
    make_due,
    now_as,
    several,
    statuses_of,
    submit,
)
from tests.factories import DeviceFactory, UserFactory
from tests.fakes import ACCEPTED, BUSY, REFUSED, FakeProvider
from users.channels import Channel

pytestmark = pytest.mark.django_db
#: No transaction of the test around it, so that the code opens and closes connections as in earnest.
on_its_own = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def outcomes_of(notification: Notification) -> list[str | None]:
    return [each.outcome for each in attempts_of(notification)]


def a_push(*device_names: str) -> Notification:
    person = UserFactory()
    for name in device_names:
        DeviceFactory(user=person, name=name)
    return submit(person, a_template(Channel.PUSH), channel=Channel.PUSH)


def lines_left(journals) -> int:
    return sum(len(path.read_bytes().splitlines()) for path in journals.glob("*.journal"))


# --- a whole hand-over ------------------------------------------------------------------------------------------------
def test_a_hand_over_grows_while_it_is_quick_up_to_a_limit(deliver, monkeypatch):
    monkeypatch.setattr(delivery_module, "SHORT", timedelta(hours=1))
    monkeypatch.setattr(delivery_module, "FIRST_HAND_OVER", 5)
    monkeypatch.setattr(delivery_module, "LARGEST_HAND_OVER", 15)
    provider = FakeProvider()
    deliver(provider, *several(47))
    assert provider.batches == [5, 10, 15, 15, 2]


def test_a_hand_over_shrinks_while_it_is_slow_down_to_one(deliver, monkeypatch):
    monkeypatch.setattr(delivery_module, "SHORT", timedelta(0))
    monkeypatch.setattr(delivery_module, "LONG", timedelta(0))
    monkeypatch.setattr(delivery_module, "FIRST_HAND_OVER", 10)
    provider = FakeProvider()
    deliver(provider, *several(20))
    assert provider.batches == [10, 5, 2, 1, 1, 1]


def test_a_stop_finishes_what_is_handed_over_and_gives_the_rest_back(consumer, monkeypatch):
    monkeypatch.setattr(delivery_module, "FIRST_HAND_OVER", 4)
    stopping = threading.Event()
    notifications = several(9)

    def stop(message):
        stopping.set()
        return ACCEPTED

    provider = FakeProvider(stop)
    assert consumer(provider, stopping=stopping).deliver([each.pk for each in notifications]) == 4
    assert statuses_of(*notifications).count(Status.SENT) == 4
    rest = [each for each in notifications if each.pk not in provider.ids]
    assert len(rest) == 5
    for notification in rest:
        row = now_as(notification)
        assert (row.status, row.claim_token, row.crash_count) == (Status.ACCEPTED, None, 0)
        assert is_due(notification)


def test_a_stopped_consumer_takes_nothing(consumer):
    stopping = threading.Event()
    stopping.set()
    (notification,) = several(1)
    assert consumer(FakeProvider(), stopping=stopping).deliver([notification.pk]) == 0
    assert now_as(notification).claimed_by == ""


@on_its_own
def test_no_transaction_is_open_while_the_provider_is_called(deliver):
    seen = []

    def look(message):
        seen.append(connection.in_atomic_block)
        row = Notification.objects.get(pk=message.notification_id)
        assert row.status == Status.SENDING
        return ACCEPTED

    provider = FakeProvider(look, look)
    notifications = several(2)
    deliver(provider, *notifications)
    assert seen == [False, False]
    assert provider.open_transactions == [0, 0]
    assert statuses_of(*notifications) == [Status.SENT] * 2


# --- several devices --------------------------------------------------------------------------------------------------
def test_a_push_to_several_devices_is_sent_when_one_takes_it(deliver):
    notification = a_push("Phone", "Tablet", "Watch")
    provider = FakeProvider(REFUSED, ACCEPTED, BUSY)
    assert deliver(provider, notification, channel=PushChannel()) == 1
    assert now_as(notification).status == Status.SENT
    assert outcomes_of(notification) == [Outcome.PERMANENT, Outcome.ACCEPTED, Outcome.TRANSIENT]
    assert {each.number for each in attempts_of(notification)} == {1}
    assert now_as(notification).attempt_count == 1


def test_a_push_is_tried_again_only_for_devices_without_a_final_answer(deliver):
    notification = a_push("Phone", "Tablet")
    deliver(FakeProvider(REFUSED, BUSY), notification, channel=PushChannel())
    assert now_as(notification).status == Status.ACCEPTED
    make_due(notification)
    second = FakeProvider()
    deliver(second, notification, channel=PushChannel())
    assert [message.device.name for message in second.handed_over] == ["Tablet"]
    assert now_as(notification).status == Status.SENT


def test_a_push_no_device_takes_is_given_up(deliver):
    notification = a_push("Phone", "Tablet")
    deliver(FakeProvider(REFUSED, REFUSED), notification, channel=PushChannel())
    assert now_as(notification).status == Status.FAILED


# --- recording --------------------------------------------------------------------------------------------------------
@on_its_own
@pytest.mark.parametrize("trouble", [OperationalError("server closed the connection"), InterfaceError("closed")])
def test_outcomes_are_recorded_as_soon_as_the_database_is_back(consumer, monkeypatch, journals, trouble):
    record, failures = tracking.record_outcomes, [trouble, trouble]

    def record_when_back(recorded):
        assert lines_left(journals) == 2
        if failures:
            raise failures.pop()
        return record(recorded)

    monkeypatch.setattr(delivery_module, "RECORD_AGAIN", timedelta(0))
    monkeypatch.setattr(tracking, "record_outcomes", record_when_back)
    notifications = several(2)
    consumer(FakeProvider()).deliver([each.pk for each in notifications])
    assert failures == []
    assert statuses_of(*notifications) == [Status.SENT] * 2
    assert lines_left(journals) == 0


@on_its_own
def test_a_stop_while_the_database_is_away_keeps_the_journal_for_the_next_start(consumer, monkeypatch, journals):
    stopping = threading.Event()

    def gone(recorded):
        stopping.set()
        raise OperationalError("server closed the connection")

    notifications = several(2)
    delivery = consumer(FakeProvider(), stopping=stopping)
    with monkeypatch.context() as patched:
        patched.setattr(tracking, "record_outcomes", gone)
        delivery.deliver([each.pk for each in notifications])
    assert statuses_of(*notifications) == [Status.SENDING] * 2
    assert replay_journals(journals, rules=RULES) == 0
    delivery.close()
    assert replay_journals(journals, rules=RULES) == 2
    assert statuses_of(*notifications) == [Status.SENT] * 2
    assert list(journals.iterdir()) == []


@on_its_own
@pytest.mark.skipif(connection.vendor != "postgresql", reason="a server that hangs up: PostgreSQL only")
@pytest.mark.parametrize("is_noticed", [False, True])
def test_a_connection_that_breaks_during_the_hand_over_is_replaced(deliver, is_noticed):
    def hang_up(message):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        parameters = connection.get_connection_params()
        names = ("host", "port", "user", "password", "dbname")
        with psycopg.connect(**{name: parameters[name] for name in names if name in parameters}) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
        if is_noticed:
            with pytest.raises(OperationalError):
                Notification.objects.exists()
        return ACCEPTED

    notifications = several(2)
    deliver(FakeProvider(hang_up), *notifications)
    assert statuses_of(*notifications) == [Status.SENT] * 2


def test_a_journal_that_cannot_be_written_does_not_forget_the_answer(consumer, monkeypatch):
    def full(line):
        raise OSError(errno.ENOSPC, "No space left on device")

    notifications = several(2)
    delivery = consumer(FakeProvider())
    monkeypatch.setattr(delivery._journal, "append", full)
    delivery.deliver([each.pk for each in notifications])
    assert statuses_of(*notifications) == [Status.SENT] * 2


def test_closing_leaves_no_journal_behind_and_closes_the_provider(consumer, journals):
    provider = FakeProvider()
    delivery = consumer(provider)
    delivery.deliver([each.pk for each in several(1)])
    delivery.close()
    assert provider.close_count == 1
    assert list(journals.iterdir()) == []


def test_a_provider_that_fails_to_close_does_not_keep_the_journal_locked(consumer, journals):
    provider = FakeProvider()
    delivery = consumer(provider)
    delivery.deliver([each.pk for each in several(1)])
    provider.close = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        delivery.close()
    assert list(journals.iterdir()) == []
    provider.close = lambda: None


def test_who_was_held_up_between_mark_and_first_byte_hands_nothing_over(deliver, monkeypatch):
    mark = tracking.open_attempts

    def held_up(*args, **kwargs):
        ours = mark(*args, **kwargs)
        monkeypatch.setattr(delivery_module, "HAND_OVER_WITHIN", timedelta(0))
        return ours

    monkeypatch.setattr(tracking, "open_attempts", held_up)
    provider = FakeProvider()
    notification = several(1)[0]
    deliver(provider, notification)
    assert provider.batches == []
    assert now_as(notification).status == Status.ACCEPTED
    assert now_as(notification).tries_used == 0
    assert [each.error_code for each in attempts_of(notification)] == ["held_up"]
