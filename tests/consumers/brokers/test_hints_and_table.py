"""What is urgent does not wait behind other hints, and without a broker the table is looked into."""

from datetime import timedelta

import pytest

from consumers.brokers.base import Batch, BrokerReconnecting
from consumers.brokers.hints_and_table import HintsAndTable
from gateway import priorities
from gateway.statuses import Status
from tests.factories import NotificationFactory, PublishedVersionFactory, UserFactory, ago, ahead
from users.channels import Channel

WAIT = timedelta(seconds=1)
HIGH = priorities.NAMES["high"]

pytestmark = pytest.mark.django_db


class Hints:
    """A broker that brings what the test says, once, and remembers what it was asked."""

    def __init__(self, *ids, trouble=None):
        self.ids, self.trouble = list(ids), trouble
        self.asked, self.acked, self.is_closed = [], [], False

    def receive(self, limit, *, wait):
        self.asked.append((limit, wait))
        if self.trouble:
            raise self.trouble
        taken, self.ids = self.ids[:limit], self.ids[limit:]
        return Batch(taken, frozenset(taken[:1]), "receipt")

    def ack(self, batch):
        self.acked.append(batch.receipt)

    def close(self):
        self.is_closed = True


@pytest.fixture
def row():
    user, version = UserFactory(), PublishedVersionFactory()

    def make(**columns):
        return NotificationFactory(user=user, template_version=version, **{"available_at": ago(seconds=1)} | columns)

    return make


def receive(hints, limit=10):
    return HintsAndTable(hints, Channel.EMAIL).receive(limit, wait=WAIT)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.QUEUED])
def test_what_is_urgent_comes_before_the_hints(row, status):
    hinted, urgent = row(status=Status.QUEUED), row(status=status, priority=HIGH)

    batch = receive(Hints(hinted.pk))
    assert (batch.ids, batch.again) == ([urgent.pk, hinted.pk], {hinted.pk})


def test_the_most_urgent_comes_first_and_a_hint_for_it_does_not_bring_it_twice(row):
    high, critical = row(priority=HIGH), row(priority=10)

    assert receive(Hints(high.pk)).ids == [critical.pk, high.pk]


@pytest.mark.parametrize(
    "columns",
    [
        {"priority": priorities.URGENT_FROM - 1},
        {"available_at": ahead(minutes=5)},
        {"expires_at": ahead(minutes=-5)},
        {"status": Status.CLAIMED},
        {"status": Status.SENT},
        {"channel": Channel.PUSH},
    ],
    ids=lambda columns: "/".join(columns),
)
def test_what_is_not_urgent_not_due_or_not_free_waits_for_its_hint(row, columns):
    row(**{"priority": HIGH} | columns)

    assert receive(Hints()).ids == []


def test_with_nothing_urgent_the_broker_may_be_waited_for():
    hints = Hints()

    assert receive(hints).ids == []
    assert hints.asked == [(10, WAIT)]


def test_with_something_urgent_nobody_waits_for_the_broker(row):
    row(priority=HIGH)
    hints = Hints()
    receive(hints)

    assert hints.asked == [(9, timedelta(0))]


def test_a_full_batch_of_urgent_ones_leaves_the_broker_alone(row):
    urgent = {row(priority=HIGH).pk for _ in range(3)}
    hints = Hints()

    assert set(receive(hints, limit=3).ids) == urgent
    assert hints.asked == []


def test_hints_are_acknowledged_and_rows_of_the_table_are_not(row):
    row(priority=HIGH)
    hints = Hints()
    broker = HintsAndTable(hints, Channel.EMAIL)

    broker.ack(broker.receive(10, wait=WAIT))
    broker.ack(broker.receive(1, wait=WAIT))

    assert hints.acked == ["receipt"]


def test_without_hints_what_is_overdue_comes_from_the_table(row):
    """The broker may answer and yet take no hint, and a relay may be missing."""
    overdue, _ = row(available_at=ago(seconds=6)), row(available_at=ago(seconds=1))

    batch = receive(Hints())

    assert batch.ids == [overdue.pk]


def test_with_hints_nobody_looks_for_what_is_overdue(row):
    row(available_at=ago(seconds=60))
    hinted = row(status=Status.QUEUED)

    assert receive(Hints(hinted.pk)).ids == [hinted.pk]


def test_without_the_broker_the_table_is_the_queue(row):
    normal, later = row(available_at=ago(seconds=1)), row(available_at=ahead(minutes=1))
    hints = Hints(trouble=BrokerReconnecting("away"))

    assert receive(hints).ids == [normal.pk]
    assert later.status == Status.ACCEPTED


def test_while_the_table_has_more_nobody_waits_for_a_broker_that_is_away(row):
    for _ in range(3):
        row()
    hints = Hints(trouble=BrokerReconnecting("away"))
    broker = HintsAndTable(hints, Channel.EMAIL)

    broker.receive(3, wait=WAIT)
    broker.receive(4, wait=WAIT)
    broker.receive(4, wait=WAIT)

    assert [wait for _, wait in hints.asked] == [WAIT, timedelta(0), WAIT]


def test_without_the_broker_and_with_nothing_due_it_is_said_that_the_broker_is_away():
    with pytest.raises(BrokerReconnecting):
        receive(Hints(trouble=BrokerReconnecting("away")))


def test_closing_closes_the_broker():
    hints = Hints()
    HintsAndTable(hints, Channel.EMAIL).close()

    assert hints.is_closed
