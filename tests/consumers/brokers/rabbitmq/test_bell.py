"""The relay's end on a real server: what is confirmed, what is refused, what nobody knows."""

import struct
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from consumers.brokers.base import BrokerUnavailable, QueueDepth
from consumers.brokers.rabbitmq import bell as bell_module
from consumers.brokers.rabbitmq.bell import RabbitMQBell
from consumers.brokers.rabbitmq.hint_format import dead_letter_body, hint_body
from gateway.outbox import Hint
from gateway.untold import GivenUp
from tests.rabbitmq_server import PATIENCE, until

LONG = timedelta(seconds=PATIENCE)


@pytest.fixture
def queue(topology):
    return topology.queue("email")


@pytest.fixture
def make(rabbitmq_url, topology):
    made = []

    def bell(url=rabbitmq_url, *, wait=True):
        made.append(RabbitMQBell(url, topology=topology))
        assert not wait or made[-1].wait_until_up(LONG)
        return made[-1]

    yield bell
    for each in made:
        each.close()


def some(count):
    return [Hint(uuid.uuid4(), "story-1") for _ in range(count)]


def method_frame(class_id, method_id, arguments=b""):
    """A method on channel 0, as the server would send it."""
    payload = struct.pack(">HH", class_id, method_id) + arguments
    return struct.pack(">BHI", 1, 0, len(payload)) + payload + b"\xce"


def test_what_is_confirmed_lies_in_the_queue_of_its_channel(make, tap, topology):
    hints = some(3)
    assert make().ring("push", hints) == set()
    assert tap.take_all(topology.queue("push")) == [hint_body(hint.id) for hint in hints]
    assert tap.depth(topology.queue("email")) == 0


def dead(count):
    return [GivenUp(uuid.uuid4(), "poison", "email", "story-1", datetime.now(UTC)) for _ in range(count)]


def test_dead_letters_are_told_on_failed_queue_and_persist(make, tap, topology):
    letters = dead(2)
    assert make().tell_dead_letters(letters) == set()
    found = tap.take_whole(topology.failed)
    assert [body for _, body in found] == [dead_letter_body(each) for each in letters]
    assert {(each.type, each.delivery_mode, each.correlation_id) for each, _ in found} == {
        ("dead_letter", 2, "story-1")
    }
    assert tap.depth(topology.queue("email")) == 0


def test_what_the_broker_set_aside_is_told_apart_from_dead_letters(make, tap, topology, queue):
    (letter,) = dead(1)
    make().tell_dead_letters([letter])
    tap.put(b"rubbish", queue=topology.failed)
    kinds = {properties.type for properties, _ in tap.take_whole(topology.failed)}
    assert kinds == {"dead_letter", None}


def test_dead_letters_that_no_queue_takes_are_named(make, tap, topology):
    bell, letters = make(), dead(3)
    tap.ask("queue_delete", queue=topology.failed)
    assert bell.tell_dead_letters(letters) == {each.id for each in letters}
    assert bell.wait_until_up(LONG)  # a new connection has declared it again
    until(lambda: bell._link.is_up, "the connection")
    assert bell.tell_dead_letters(letters) == set()


def test_a_whole_pipeline_is_confirmed(make, tap, queue):
    bell = make()
    for _ in range(3):
        assert bell.ring("email", some(700)) == set()
    assert tap.depth(queue) == 2100


def test_nothing_to_ring_rings_nothing(make, tap, queue):
    assert make().ring("email", []) == set()
    assert tap.depth(queue) == 0


def test_a_message_is_persistent_and_carries_ids_only(make, tap, queue):
    found = []
    tap._link.call(
        lambda: tap._channel.basic_consume(queue, lambda _, method, properties, body: found.append(properties), True)
    )
    (hint,) = some(1)
    make().ring("email", [hint])
    until(lambda: found, "the message")
    told = {name: value for name, value in vars(found[0]).items() if value is not None}
    assert told == {
        "content_type": "application/json",
        "delivery_mode": 2,
        "message_id": str(hint.id),
        "correlation_id": "story-1",
    }


def test_depth_counts_ready_messages_and_consumers(make, tap, queue):
    bell = make()
    bell.ring("email", some(4))
    assert bell.depth("email") == QueueDepth(ready=4, consumers=0)
    assert bell.depth("push") == QueueDepth(ready=0, consumers=0)
    assert bell.failed_depth() == QueueDepth(ready=0, consumers=0)


def test_what_no_queue_wants_is_refused_and_the_way_is_mended(make, tap, queue, topology):
    bell, hints = make(), some(3)
    tap.ask("queue_unbind", queue=queue, exchange=topology.exchange, routing_key=queue)
    assert bell.ring("email", hints) == {hint.id for hint in hints}
    assert bell.wait_until_up(LONG)
    assert bell.ring("email", hints) == set()
    assert tap.depth(queue) == 3


def test_what_the_broker_nacks_is_refused(make, tap, queue, topology):
    """A queue that an operator has made otherwise is used as it is: here it has room for one."""
    tap.ask("queue_delete", queue=queue)
    small = {"x-max-length": 1, "x-overflow": "reject-publish"}
    tap.ask("queue_declare", queue=queue, durable=True, arguments=small)
    tap.ask("queue_bind", queue=queue, exchange=topology.exchange, routing_key=queue)
    with capture_logs() as lines:
        bell = make()
    hints = some(4)
    assert bell.ring("email", hints) == {hint.id for hint in hints[1:]}
    refused = [line for line in lines if line.get("action") == "declare"]
    assert [line["subject"] for line in refused] == [f"queue {queue}"]
    assert "inequivalent arg" in refused[0]["detail"]


def test_a_queue_that_is_missing_is_declared_again(make, tap, queue):
    bell = make()
    tap.ask("queue_delete", queue=queue)
    with pytest.raises(BrokerUnavailable, match="NOT_FOUND"):
        bell.depth("email")
    assert bell.wait_until_up(LONG)
    assert bell.depth("email") == QueueDepth(ready=0, consumers=0)


def test_a_connection_that_breaks_leaves_nothing_certain_and_comes_back(make, wire, tap, queue):
    bell = make(wire.url)
    wire.cut()
    with pytest.raises(BrokerUnavailable):
        bell.ring("email", some(200))
    with pytest.raises(BrokerUnavailable):
        bell.depth("email")
    wire.mend()
    assert bell.wait_until_up(LONG)
    tap.take_all(queue)
    assert bell.ring("email", some(2)) == set()
    assert tap.depth(queue) == 2


def test_without_a_connection_it_says_so_at_once(make, wire):
    wire.cut()
    bell = make(wire.url, wait=False)
    assert not bell.wait_until_up(timedelta(milliseconds=50))
    with pytest.raises(BrokerUnavailable, match="No connection to RabbitMQ"):
        bell.ring("email", some(1))


def test_a_broker_that_is_out_of_memory_is_not_written_to(make, wire, tap, queue):
    bell = make(wire.url)
    reason = b"low on memory"
    wire.say(method_frame(10, 60, bytes([len(reason)]) + reason))  # connection.blocked
    until(lambda: bell._link._is_blocked, "the news")
    with pytest.raises(BrokerUnavailable, match="takes no messages"):
        bell.ring("email", some(1))
    with pytest.raises(BrokerUnavailable, match="takes no messages"):
        bell.depth("email")
    wire.say(method_frame(10, 61))  # connection.unblocked
    until(lambda: not bell._link._is_blocked, "the news")
    assert bell.ring("email", some(1)) == set()
    assert tap.depth(queue) == 1


def test_a_broker_that_does_not_confirm_is_hung_up_on(make, wire, monkeypatch):
    bell = make(wire.url)
    monkeypatch.setattr(bell_module, "CONFIRM_WITHIN", timedelta(milliseconds=100))
    wire.deafen()
    with pytest.raises(BrokerUnavailable, match="does not confirm"):
        bell.ring("email", some(1))
    assert not bell._link.is_up


def test_closing_twice_closes_once(make, wire):
    bell = make(wire.url)
    bell.close()
    bell.close()
    with pytest.raises(BrokerUnavailable):
        bell.depth("email")
