"""The table as a queue: what is due comes out, most urgent first, and a wait can be cut short."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection

from consumers.brokers import database
from consumers.brokers.base import BrokerUnavailable
from consumers.brokers.database import POLL_EVERY, DatabaseBroker
from gateway import outbox
from gateway.statuses import Status
from tests.consumers.engine import claim
from tests.factories import NotificationFactory, PublishedVersionFactory, ago, ahead
from users.channels import Channel

pytestmark = pytest.mark.django_db

NO_WAIT = timedelta(0)


class Wake(threading.Event):
    """Notes for how long it was waited for, does something meanwhile, and does not wait."""

    def __init__(self, meanwhile=lambda: None) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._meanwhile = meanwhile

    def wait(self, timeout=None) -> bool:
        self.waits.append(timeout)
        self._meanwhile()
        return self.is_set()


def received(limit: int = 10, *, channel: str = Channel.EMAIL, wake: threading.Event | None = None):
    return list(DatabaseBroker(channel, wake=wake or Wake()).receive(limit, wait=NO_WAIT).ids)


def test_due_notifications_come_most_urgent_first_then_oldest():
    version = PublishedVersionFactory()
    young = NotificationFactory(template_version=version, available_at=ago(seconds=5))
    old = NotificationFactory(template_version=version, available_at=ago(seconds=50))
    urgent = NotificationFactory(template_version=version, available_at=ago(seconds=1), priority=10)
    assert received() == [urgent.pk, old.pk, young.pk]


def test_no_more_comes_than_asked_for():
    first = NotificationFactory(available_at=ago(seconds=9))
    NotificationFactory()
    assert received(1) == [first.pk]


def test_what_is_not_due_or_not_of_this_channel_does_not_come():
    NotificationFactory(available_at=ahead(minutes=1))
    NotificationFactory(expires_at=ago(seconds=1))
    NotificationFactory(channel=Channel.PUSH)
    for status in Status:
        if status != Status.ACCEPTED:
            NotificationFactory(status=status)
    assert received() == []


def test_what_is_claimed_does_not_come_again():
    notification = NotificationFactory()
    broker = DatabaseBroker(Channel.EMAIL, wake=Wake())
    batch = broker.receive(10, wait=NO_WAIT)
    claim(notification)
    broker.ack(batch)
    assert broker.receive(10, wait=NO_WAIT).ids == []


def test_what_becomes_due_during_the_wait_comes_at_once():
    wake = Wake(meanwhile=NotificationFactory)
    assert len(received(wake=wake)) == 1


def test_with_something_due_there_is_no_wait():
    NotificationFactory()
    wake = Wake()
    received(wake=wake)
    assert wake.waits == []


@pytest.mark.parametrize(
    ("wait", "waited"), [(timedelta(seconds=10), POLL_EVERY), (timedelta(milliseconds=30), timedelta(milliseconds=30))]
)
def test_an_idle_wait_is_that_of_the_caller_or_of_the_poll_whichever_is_shorter(wait, waited):
    wake = Wake()
    DatabaseBroker(Channel.EMAIL, wake=wake).receive(10, wait=wait)
    assert wake.waits == [waited.total_seconds()]


def test_a_stop_cuts_the_wait_short(monkeypatch):
    monkeypatch.setattr(database, "POLL_EVERY", timedelta(hours=1))
    wake = threading.Event()
    wake.set()
    before = time.monotonic()
    DatabaseBroker(Channel.EMAIL, wake=wake).receive(10, wait=timedelta(hours=1))
    assert time.monotonic() - before < 600


@pytest.mark.parametrize("trouble", [OperationalError("gone"), InterfaceError("already closed")])
def test_a_database_that_is_away_is_a_broker_that_is_away(monkeypatch, trouble):
    def gone(**asked):
        raise trouble

    monkeypatch.setattr(outbox, "due_ids", gone)
    with pytest.raises(BrokerUnavailable):
        received()


@pytest.fixture
def looks(monkeypatch):
    """How often the table was asked."""
    noted = []
    ask = outbox.due_ids

    def asked(**what):
        noted.append(what)
        return ask(**what)

    monkeypatch.setattr(outbox, "due_ids", asked)
    return noted


def test_while_nobody_writes_an_idle_consumer_leaves_the_table_alone(monkeypatch, looks):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite tells whether anybody has written")
    monkeypatch.setattr(database, "LOOK_AT_LEAST_EVERY", timedelta(hours=1))
    broker = DatabaseBroker(Channel.EMAIL, wake=Wake())
    broker.receive(10, wait=NO_WAIT)
    before = len(looks)

    for _ in range(5):
        broker.receive(10, wait=NO_WAIT)
    assert len(looks) == before

    notification = NotificationFactory()
    assert broker.receive(10, wait=NO_WAIT).ids == [notification.pk]


def test_an_idle_consumer_looks_once_a_turn_and_what_comes_due_by_itself_comes(monkeypatch, looks):
    monkeypatch.setattr(database, "LOOK_AT_LEAST_EVERY", NO_WAIT)
    broker = DatabaseBroker(Channel.EMAIL, wake=Wake())
    broker.receive(10, wait=NO_WAIT)
    before = len(looks)

    for _ in range(5):
        broker.receive(10, wait=NO_WAIT)

    assert len(looks) == before + 5


def test_closing_twice_is_fine():
    broker = DatabaseBroker(Channel.EMAIL)
    broker.close()
    broker.close()


def test_after_a_few_more_are_let_come_together_after_many_or_none_they_are_not():
    version = PublishedVersionFactory()
    wake = Wake()
    broker = DatabaseBroker(Channel.EMAIL, wake=wake)
    rows = [NotificationFactory(template_version=version, available_at=ago(seconds=5)) for _ in range(2)]
    broker.receive(2, wait=NO_WAIT)
    broker.receive(3, wait=NO_WAIT)
    assert wake.waits == []
    claim(*rows)
    broker.receive(3, wait=NO_WAIT)
    assert wake.waits[0] == database.GATHER.total_seconds()
    broker.receive(3, wait=NO_WAIT)
    assert wake.waits.count(database.GATHER.total_seconds()) == 1
