"""Hints that the broker has lost are found, and those it still has are left in peace."""

import threading
from collections import Counter

import pytest

from consumers.brokers.base import BrokerUnavailable
from consumers.brokers.rabbitmq.bell import RabbitMQBell
from consumers.missing_hints import MissingHints
from consumers.relay import Relay
from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.fake_bell import FakeBell
from tests.factories import NotificationFactory, PublishedVersionFactory, ago
from tests.rabbitmq_server import until
from users.channels import Channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued():
    """So many queued rows, published so many seconds ago."""
    version = PublishedVersionFactory()

    def make(count, *, seconds, **fields):
        fields = {"status": Status.QUEUED, "publish_count": 1} | fields
        rows = [
            NotificationFactory(template_version=version, published_at=ago(seconds=seconds), **fields)
            for _ in range(count)
        ]
        return [row.pk for row in rows]

    return make


def make(bell, **how) -> MissingHints:
    return MissingHints(bell, **{"channels": ["email"], "prefetch": 10, "limit": 500} | how)


def holding(ready, *, consumers=0) -> FakeBell:
    bell = FakeBell()
    bell.ready, bell.consumers = ready, consumers
    return bell


@pytest.mark.parametrize(
    ("young", "settled", "old", "ready", "consumers", "missing"),
    [
        (0, 0, 0, 0, 0, 0),
        (5, 0, 0, 0, 0, 0),  # still on their way
        (0, 5, 0, 5, 0, 0),  # all there
        (0, 5, 0, 2, 0, 3),
        (0, 5, 0, 0, 1, 0),  # fetched ahead by a consumer
        (0, 15, 0, 0, 1, 5),  # more than it may fetch
        (0, 15, 0, 0, 2, 0),
        (0, 0, 5, 0, 1, 5),  # no consumer sits on a hint for so long
        (0, 3, 5, 5, 1, 0),
        (0, 3, 5, 4, 1, 1),
        (0, 2, 0, 9, 0, -7),  # second hints of rows that are long gone
    ],
)
def test_missing_is_what_is_neither_in_the_queue_nor_fetched(queued, young, settled, old, ready, consumers, missing):
    queued(young, seconds=1)
    queued(settled, seconds=5)
    queued(old, seconds=20)
    assert make(holding(ready, consumers=consumers)).missing("email") == missing


def test_only_queued_rows_of_the_channel_count(queued):
    queued(1, seconds=20, status=Status.ACCEPTED)
    queued(1, seconds=20, channel=Channel.PUSH)
    assert make(holding(0)).missing("email") == 0


def test_only_after_three_times_in_a_row_the_oldest_are_opened_again(queued):
    queued(3, seconds=20)
    oldest = queued(2, seconds=40)
    chore = make(holding(3))
    assert [chore.reopen() for _ in range(3)] == [0, 0, 2]
    assert set(Notification.objects.filter(status=Status.ACCEPTED).values_list("pk", flat=True)) == set(oldest)
    assert [chore.reopen() for _ in range(3)] == [0, 0, 0]


def test_once_in_between_everything_was_there_the_count_begins_anew(queued):
    queued(2, seconds=20)
    bell = holding(0)
    chore = make(bell)
    chore.reopen()
    chore.reopen()
    bell.ready = 2
    chore.reopen()
    bell.ready = 0
    assert [chore.reopen() for _ in range(3)] == [0, 0, 2]


def test_while_the_broker_is_away_nothing_counts_as_missing(queued):
    queued(2, seconds=20)
    bell = holding(0)
    chore = make(bell)
    chore.reopen()
    chore.reopen()
    bell.troubles = [BrokerUnavailable("away")]
    assert [chore.reopen() for _ in range(3)] == [0, 0, 0]
    assert chore.reopen() == 2


def test_each_channel_is_counted_by_itself(queued):
    queued(1, seconds=20)
    queued(1, seconds=20, channel=Channel.PUSH)
    chore = make(holding(0), channels=Channel.values)
    assert [chore.reopen() for _ in range(3)] == [0, 0, 2]


def test_no_more_is_opened_at_once_than_told(queued):
    queued(5, seconds=20)
    chore = make(holding(0), limit=3)
    assert [chore.reopen() for _ in range(3)] == [0, 0, 3]


def test_a_forgotten_row_is_opened_again_however_full_the_queue_is(queued):
    queued(1, seconds=130)
    assert make(holding(1000)).reopen() == 1


def test_a_queue_that_was_wiped_is_filled_again(queued, on_postgresql, rabbitmq_url, topology, tap):
    queue = topology.queue("email")
    queued(20, seconds=0, status=Status.ACCEPTED, publish_count=0)
    bell = RabbitMQBell(rabbitmq_url, topology=topology)
    relay = Relay(bell, channels=["email"], high_water=100, stopping=threading.Event())
    until(lambda: bell._link.is_up, "the connection")
    assert relay.top_up("email") == 20
    tap.ask("queue_purge", queue=queue)
    Notification.objects.update(published_at=ago(seconds=20))
    chore = make(bell)
    assert [chore.reopen() for _ in range(3)] == [0, 0, 20]
    assert relay.top_up("email") == 20
    assert tap.depth(queue) == 20
    assert Counter(Notification.objects.values_list("publish_count", flat=True)) == {2: 20}
    bell.close()
