"""The loop of one sender thread: its order, its pauses, its end."""

import uuid

import pytest
from django.db import InterfaceError, OperationalError

from consumers import worker as worker_module
from consumers.brokers.base import Batch, BrokerReconnecting, BrokerUnavailable
from consumers.worker import Worker
from tests.consumers.stopping import Stopping
from tests.fakes import FakeBroker

A, B, C = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


class FakeDelivery:
    """Takes note of what it is given; an exception in the script is raised instead."""

    def __init__(self, *script: int | Exception) -> None:
        self._script = list(script)
        self.given: list[list[uuid.UUID]] = []
        self.again: list[frozenset[uuid.UUID]] = []
        self.close_count = 0

    def deliver(self, ids, *, again) -> int:
        self.given.append(list(ids))
        self.again.append(again)
        item = self._script.pop(0) if self._script else len(ids)
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        self.close_count += 1


@pytest.fixture(autouse=True)
def no_connections(monkeypatch):
    """These tests have no database; counts how often broken connections were let go."""
    calls = []
    monkeypatch.setattr(worker_module, "close_old_connections", lambda: calls.append(1))
    return calls


def run(broker, delivery, *, once=True, stopping=None, **how) -> None:
    Worker(broker, delivery, stopping=stopping or Stopping(), **how).run(once=once)


def test_batches_are_delivered_and_acknowledged_in_order():
    broker, delivery = FakeBroker([A, B], [C]), FakeDelivery()
    run(broker, delivery)
    assert delivery.given == [[A, B], [C]]
    assert [batch.ids for batch in broker.acked] == [[A, B], [C], ()]


def test_the_delivery_is_told_which_ids_come_again():
    broker, delivery = FakeBroker(Batch([A, B], frozenset([B])), [C]), FakeDelivery()
    run(broker, delivery)

    assert delivery.given == [[A, B], [C]]
    assert delivery.again == [{B}, frozenset()]


def test_a_batch_is_acknowledged_after_its_delivery_never_before():
    broker = FakeBroker([A])

    class Watching(FakeDelivery):
        def deliver(self, ids, *, again) -> int:
            assert broker.acked == []
            return super().deliver(ids, again=again)

    run(broker, Watching())
    assert len(broker.acked) == 2


def test_an_empty_broker_ends_a_single_run_without_a_delivery():
    broker, delivery = FakeBroker(), FakeDelivery()
    run(broker, delivery)
    assert delivery.given == []
    assert broker.receive_count == 1


def test_an_empty_broker_is_asked_again_until_the_stop():
    stopping = Stopping()
    turns = []
    broker = FakeBroker()

    def turn(handed_over):
        turns.append(handed_over)
        if len(turns) == 3:
            stopping.set()

    run(broker, FakeDelivery(), once=False, stopping=stopping, on_turn=turn)
    assert broker.receive_count == 3
    assert turns == [0, 0, 0]


def test_each_turn_tells_how_much_was_handed_over():
    turns = []
    run(FakeBroker([A, B], [C]), FakeDelivery(2, 0), on_turn=turns.append)
    assert turns == [2, 0, 0]


def test_a_stopped_worker_receives_nothing():
    stopping = Stopping()
    stopping.set()
    broker, delivery = FakeBroker([A]), FakeDelivery()
    run(broker, delivery, once=False, stopping=stopping)
    assert (broker.receive_count, delivery.given) == (0, [])
    assert (broker.close_count, delivery.close_count) == (1, 1)


def test_no_more_is_received_than_wanted_at_once():
    limits = []

    class Asked(FakeBroker):
        def receive(self, limit, *, wait):
            limits.append(limit)
            return super().receive(limit, wait=wait)

    run(Asked(), FakeDelivery(), batch=7)
    assert limits == [7]


@pytest.mark.parametrize(
    "trouble", [BrokerUnavailable("away"), OperationalError("away"), InterfaceError("connection already closed")]
)
def test_servers_that_are_away_cost_a_pause_that_doubles_and_no_more(trouble, no_connections):
    stopping = Stopping()
    broker = FakeBroker(trouble, trouble, trouble, [A])
    delivery = FakeDelivery()
    run(broker, delivery, stopping=stopping)
    assert stopping.waits == [0.5, 1.0, 2.0]
    assert delivery.given == [[A]]
    assert len(no_connections) == 3


def test_a_broker_that_waits_by_itself_is_asked_again_at_once():
    stopping = Stopping()
    delivery = FakeDelivery()
    run(FakeBroker(*[BrokerReconnecting("away")] * 3, [A]), delivery, stopping=stopping)
    assert (stopping.waits, delivery.given) == ([], [[A]])


def test_a_pause_has_a_limit_and_a_success_makes_it_short_again():
    stopping = Stopping()
    trouble = [BrokerUnavailable("away")] * 8
    run(FakeBroker(*trouble, [A], *trouble[:1], [B]), FakeDelivery(), stopping=stopping)
    assert stopping.waits[7] == worker_module.LONGEST_PAUSE.total_seconds()
    assert stopping.waits[8] == worker_module.FIRST_PAUSE.total_seconds()


def test_a_batch_whose_delivery_failed_is_delivered_again_before_anything_new_is_received():
    broker, delivery = FakeBroker([A], [B]), FakeDelivery(OperationalError("away"), OperationalError("away"), 1, 1)
    run(broker, delivery)
    assert delivery.given == [[A], [A], [A], [B]]
    assert [batch.ids for batch in broker.acked] == [[A], [B], ()]


def test_a_batch_whose_delivery_failed_before_the_stop_is_not_acknowledged():
    broker, delivery = FakeBroker([A], [B]), FakeDelivery(OperationalError("away"))
    run(broker, delivery, once=False, stopping=Stopping(stop_after=1))
    assert broker.acked == []


def test_a_stop_cuts_a_pause_short():
    stopping = Stopping(stop_after=2)
    run(FakeBroker(*[BrokerUnavailable("away")] * 9), FakeDelivery(), once=False, stopping=stopping)
    assert len(stopping.waits) == 2


def test_broker_and_delivery_are_closed_even_when_the_loop_fails():
    broker, delivery = FakeBroker([A]), FakeDelivery(ZeroDivisionError("a fault of ours"))
    with pytest.raises(ZeroDivisionError):
        run(broker, delivery)
    assert (broker.close_count, delivery.close_count) == (1, 1)


def test_the_broker_is_closed_even_when_the_delivery_fails_to_close():
    broker, delivery = FakeBroker(), FakeDelivery()
    delivery.close = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        run(broker, delivery)
    assert broker.close_count == 1
