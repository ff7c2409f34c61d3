"""The consumer's end on a real server: fetching, sharing, acknowledging, and what a lost connection does to them."""

import random
import struct
import threading
import uuid
from datetime import timedelta

import pika
import pytest
from pika import spec
from structlog.testing import capture_logs

from consumers.brokers.base import BrokerReconnecting
from consumers.brokers.rabbitmq.broker import RabbitMQBroker
from consumers.brokers.rabbitmq.hint_format import hint_body
from consumers.brokers.rabbitmq.topology import DELIVERY_LIMIT
from tests.rabbitmq_server import PATIENCE, until

LONG, SHORT = timedelta(seconds=PATIENCE), timedelta(milliseconds=200)


@pytest.fixture
def queue(topology):
    return topology.queue("email")


@pytest.fixture
def make(rabbitmq_url, topology):
    """Makes brokers of the e-mail channel; closes them all in the end."""
    made = []

    def broker(url=rabbitmq_url, **how):
        made.append(RabbitMQBroker(url, "email", topology=topology, **how))
        return made[-1]

    yield broker
    for each in made:
        each.close()


@pytest.fixture
def put(tap, queue):
    """So many hints in the queue; their ids."""

    def put_hints(count):
        ids = [uuid.uuid4() for _ in range(count)]
        already = tap.depth(queue)
        for each in ids:
            tap.put(hint_body(each), queue=queue)
        until(lambda: tap.depth(queue) >= already + count or tap.consumers(queue), "the hints' arrival")
        return ids

    return put_hints


def receive(broker, count, *, limit=100):
    """Batches until so many ids have come: (ids, batches)."""
    ids, batches = [], []

    def enough():
        batch = broker.receive(min(limit, count - len(ids)), wait=LONG)
        ids.extend(batch.ids)
        batches.append(batch)
        return len(ids) >= count

    until(enough, f"{count} hints")
    return ids, batches


def test_hints_come_in_the_order_of_the_queue_and_are_gone_after_the_ack(make, put, tap, queue):
    ids = put(30)
    broker = make()
    received, batches = receive(broker, 30, limit=7)
    for batch in batches:
        broker.ack(batch)
        assert not batch.again
    assert received == ids
    broker.close()
    until(lambda: tap.consumers(queue) == 0, "the end of the consumer")
    assert tap.depth(queue) == 0


def test_what_was_not_acknowledged_comes_again(make, put):
    ids = put(10)
    first = make()
    received, batches = receive(first, 10, limit=5)
    assert received == ids
    first.ack(batches[0])
    first.close()
    left = ids[len(batches[0].ids) :]
    again, batches = receive(make(), len(left))
    assert sorted(again) == sorted(left)
    assert sorted(each for batch in batches for each in batch.again) == sorted(left)


def test_an_empty_queue_gives_an_empty_batch_after_the_wait(make):
    broker = make()
    assert broker._link.wait_until_up(LONG)
    batch = broker.receive(10, wait=SHORT)
    assert list(batch.ids) == []
    broker.ack(batch)


def test_no_more_is_fetched_than_prefetch_allows(make, put, tap, queue):
    ids = put(20)
    broker = make(prefetch=5)
    received, batches = receive(broker, 5)
    assert tap.depth(queue) == 15
    assert list(broker.receive(10, wait=SHORT).ids) == []
    for batch in batches:
        broker.ack(batch)
    assert received + receive(broker, 5)[0] == ids[:10]


def test_two_consumers_share_a_queue_and_neither_gets_what_the_other_has(make, put):
    ids = put(40)
    one, other = make(prefetch=10), make(prefetch=10)
    got = {one: [], other: []}
    until(lambda: all(broker._link.is_up for broker in got), "both connections")

    def drain():
        for broker, received in got.items():
            batch = broker.receive(5, wait=SHORT)
            broker.ack(batch)
            received += batch.ids
        return sum(map(len, got.values())) >= len(ids)

    until(drain, "the end of the queue")
    assert sorted(got[one] + got[other]) == sorted(ids)
    assert got[one]
    assert got[other]


def test_sender_threads_share_one_connection_and_get_each_hint_once(make, put, tap, queue):
    ids = put(200)
    shares = make(prefetch=50).shares(4)
    received, lock = [], threading.Lock()

    def work(share):
        while len(received) < len(ids):
            batch = share.receive(10, wait=SHORT)
            with lock:
                received.extend(batch.ids)
            share.ack(batch)

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    until(lambda: tap.consumers(queue) == 1, "the one consumer")
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(received) == sorted(ids)


def test_the_first_thread_that_ends_gives_back_what_none_has_taken(make, put, tap, queue):
    ids = put(10)
    one, other = make(prefetch=10).shares(2)
    taken, batches = receive(one, 2, limit=2)
    other.close()
    until(lambda: tap.depth(queue) == 8, "the way back")
    assert list(one.receive(10, wait=SHORT).ids) == []
    one.ack(batches[0])
    one.close()
    until(lambda: tap.consumers(queue) == 0, "the end of the consumer")
    assert taken == ids[:2]
    assert tap.depth(queue) == 8


def test_closing_twice_closes_once(make, put, tap, queue):
    put(1)
    one, other = make().shares(2)
    one.close()
    one.close()
    assert other._broker._link.wait_until_up(LONG)
    other.close()
    until(lambda: tap.consumers(queue) == 0, "the end of the consumer")


def test_a_second_hint_of_the_same_notification_is_acknowledged_with_the_first(make, tap, queue):
    same = uuid.uuid4()
    for _ in range(2):
        tap.put(hint_body(same), queue=queue)
    until(lambda: tap.depth(queue) == 2, "the hints' arrival")
    broker = make()
    until(lambda: len(broker._receiver._buffer) == 2, "the fetching")
    batch = broker.receive(10, wait=LONG)
    broker.ack(batch)
    broker.close()
    assert list(batch.ids) == [same]
    assert tap.depth(queue) == 0


# --- the connection ---------------------------------------------------------------------------------------------------


def test_a_lost_connection_is_opened_again_and_its_hints_come_again(make, put, wire):
    ids = put(6)
    broker = make(wire.url)
    _, batches = receive(broker, 3, limit=3)
    wire.interrupt()
    until(lambda: not broker._link.is_up, "the loss")
    assert broker._link.wait_until_up(LONG)
    for batch in batches:
        broker.ack(batch)  # of a connection that is no more: nothing happens
    again, batches = receive(broker, 6)
    assert sorted(again) == sorted(ids)
    for batch in batches:
        broker.ack(batch)


def test_an_ack_of_a_lost_connection_acknowledges_nothing_on_the_new_one(make, put, wire, tap, queue):
    put(3)
    broker = make(wire.url)
    _, batches = receive(broker, 3)
    wire.interrupt()
    until(lambda: not broker._link.is_up, "the loss")
    assert broker._link.wait_until_up(LONG)
    receive(broker, 3)
    for batch in batches:
        broker.ack(batch)
    broker.close()
    until(lambda: tap.consumers(queue) == 0, "the end of the consumer")
    assert tap.depth(queue) == 3


def test_a_broker_that_is_away_at_the_start_is_waited_for(make, put, rabbitmq_url, wire):
    (only,) = put(1)
    wire.cut()
    broker = make(wire.url)
    with pytest.raises(BrokerReconnecting, match="No connection to RabbitMQ"):
        broker.receive(10, wait=SHORT)
    wire.mend()
    assert broker._link.wait_until_up(LONG)
    assert receive(broker, 1)[0] == [only]


def test_a_connection_that_breaks_ends_the_wait_for_hints(make, wire):
    broker = make(wire.url)
    assert broker._link.wait_until_up(LONG)
    cutter = threading.Timer(0.2, wire.cut)
    cutter.start()
    with pytest.raises(BrokerReconnecting):
        broker.receive(10, wait=LONG)
    cutter.join()


def test_wrong_credentials_are_said_without_them(make, rabbitmq_url):
    broker = make(rabbitmq_url.replace("guest:guest", "guest:s3cret"))

    def refused():
        with pytest.raises(BrokerReconnecting) as caught:
            broker.receive(1, wait=SHORT)
        return "ACCESS_REFUSED" in str(caught.value) and str(caught.value)

    assert "s3cret" not in until(refused, "the refusal")


def test_a_queue_that_is_deleted_is_declared_again(make, put, tap, queue, topology):
    broker = make()
    assert broker._link.wait_until_up(LONG)
    until(lambda: tap.consumers(queue) == 1, "the consumer")
    tap.ask("queue_delete", queue=queue)
    until(lambda: not broker._link.is_up, "the news")
    assert broker._link.wait_until_up(LONG)
    ids = put(2)
    assert receive(broker, 2)[0] == ids


def test_a_broker_closes_while_it_is_connecting(make, wire):
    wire.cut()
    broker = make(wire.url)
    broker.close()
    assert not broker._link._thread.is_alive()


# --- any bytes --------------------------------------------------------------------------------------------------------


class RawHeaders(pika.BasicProperties):
    """A header table as its bytes."""

    def __init__(self, table: bytes) -> None:
        super().__init__()
        self._table = table

    def encode(self):
        return [struct.pack(">H", spec.BasicProperties.FLAG_HEADERS), struct.pack(">I", len(self._table)), self._table]


def nested(depth: int) -> bytes:
    table = b""
    for _ in range(depth):
        table = b"\x01kF" + struct.pack(">I", len(table)) + table
    return table


FORGED = {
    "a time that no calendar knows": RawHeaders(b"\x01kT" + b"\xff" * 8),
    "tables a thousand deep": RawHeaders(nested(3000)),
    "text that is no text": RawHeaders(b"\x01kS" + struct.pack(">I", 2) + b"\xff\xfe"),
    "a death that never was": pika.BasicProperties(headers={"x-death": "yes", "x-delivery-count": "-1"}),
    "an id that is no id": pika.BasicProperties(message_id="x" * 255, correlation_id="\r\nSet-Cookie: a=b"),
    "a type and a priority": pika.BasicProperties(content_type="text/html", type="attack", priority=255),
}


@pytest.mark.parametrize("properties", FORGED.values(), ids=FORGED)
def test_forged_headers_change_nothing(make, tap, queue, properties):
    ids = [uuid.uuid4() for _ in range(3)]
    for number, each in enumerate(ids):
        tap.put(hint_body(each), queue=queue, properties=properties if number == 1 else None)
    until(lambda: tap.depth(queue) == 3, "the hints' arrival")
    broker = make()
    assert receive(broker, 3)[0] == ids
    assert broker._link._was_up
    assert not broker._link._has_been_away


def test_rubbish_goes_to_the_failed_queue_and_takes_no_neighbour_along(make, tap, queue, topology):
    rubbish = [b"", b"\xff\xfe", b"{}", b'{"v":9,"id":"x"}', b"x" * 5_000_000, b"[" * 100_000]
    ids = [uuid.uuid4() for _ in rubbish]
    for bad, good in zip(rubbish, ids, strict=True):
        tap.put(bad, queue=queue)
        tap.put(hint_body(good), queue=queue)
    broker = make()
    with capture_logs() as lines:
        received, batches = receive(broker, len(ids))
        until(lambda: tap.depth(topology.failed) == len(rubbish), "the rejection")
    for batch in batches:
        broker.ack(batch)
    broker.close()
    assert received == ids
    assert sorted(tap.take_all(topology.failed)) == sorted(rubbish)
    assert tap.depth(queue) == 0
    assert [line["length"] for line in lines if line.get("action") == "reject"] == list(map(len, rubbish))


def test_a_stream_of_any_bytes_does_not_stop_a_consumer(make, tap, queue, topology):
    chance = random.Random(7)  # noqa: S311  no secret
    whole = hint_body(uuid.uuid4())
    bodies = [chance.randbytes(chance.randrange(300)) for _ in range(150)]
    for _ in range(150):  # a hint with a byte changed
        at = chance.randrange(len(whole))
        bodies.append(whole[:at] + chance.randbytes(1) + whole[at + 1 :])
    last = uuid.uuid4()
    for each in bodies:
        tap.put(each, queue=queue)
    tap.put(hint_body(last), queue=queue)
    broker, received = make(prefetch=10), []

    def found_last():
        batch = broker.receive(10, wait=SHORT)
        broker.ack(batch)
        received.extend(batch.ids)
        return last in received

    until(found_last, "the last hint")
    until(lambda: tap.depth(topology.failed) + len(received) - 1 == len(bodies), "the rejection")
    assert tap.depth(queue) == 0
    assert not broker._link._has_been_away


def test_a_message_that_comes_again_and_again_ends_in_the_failed_queue(make, put, tap, queue, topology):
    """Whatever goes wrong, no loop lasts: the broker's own limit ends it."""
    (only,) = put(1)
    for number in range(DELIVERY_LIMIT + 1):
        broker = make()
        assert receive(broker, 1)[0] == [only], number
        broker.close()
    until(lambda: tap.depth(topology.failed) == 1, "the end of it")
    assert tap.take_all(topology.failed) == [hint_body(only)]
    assert tap.depth(queue) == 0
