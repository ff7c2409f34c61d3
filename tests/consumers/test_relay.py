"""Due rows become hints: in order, no more than there is room for, and none is lost when the broker fails."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from structlog.testing import capture_logs

from consumers import relay as relay_module
from consumers.brokers.base import BrokerUnavailable
from consumers.brokers.rabbitmq.bell import RabbitMQBell
from consumers.brokers.rabbitmq.hint_format import hint_body, read_hint
from consumers.relay import Relay
from gateway import outbox
from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.engine import a_template, statuses_of, submit
from tests.consumers.fake_bell import FakeBell
from tests.consumers.stopping import Stopping
from tests.factories import NotificationFactory, PublishedVersionFactory, UserFactory, ago
from tests.rabbitmq_server import PATIENCE, until
from users.channels import Channel

pytestmark = pytest.mark.django_db
ACCEPTED, QUEUED = Status.ACCEPTED, Status.QUEUED


@pytest.fixture(autouse=True)
def _connections_stay(monkeypatch):
    """A test within a transaction still needs its own."""
    monkeypatch.setattr(relay_module, "close_old_connections", lambda: None)


@pytest.fixture
def some():
    version = PublishedVersionFactory()
    return lambda count, **fields: [NotificationFactory(template_version=version, **fields) for _ in range(count)]


def make(bell, *, high_water=100, stopping=None, **how) -> Relay:
    stopping = stopping or threading.Event()
    return Relay(bell, channels=Channel.values, high_water=high_water, stopping=stopping, **how)


def ids(rows):
    return [row.pk for row in rows]


def test_what_is_due_is_rung_on_its_channel_most_urgent_first(some):
    (low,), (high,) = some(1, priority=1), some(1, priority=9)
    (push,) = some(1, channel=Channel.PUSH)
    bell = FakeBell()
    make(bell).run(once=True)
    assert bell.rung == {"email": ids([high, low]), "push": ids([push])}
    assert statuses_of(low, high, push) == [QUEUED] * 3


def test_no_more_is_rung_than_there_is_room_for(some):
    rows = some(5)
    bell = FakeBell()
    make(bell, high_water=3).run(once=True)
    assert len(bell.rung["email"]) == 3
    assert Counter(statuses_of(*rows)) == {QUEUED: 3, ACCEPTED: 2}


def test_room_in_one_queue_is_no_room_in_another(some):
    some(3)
    pushes = some(3, channel=Channel.PUSH)
    bell = FakeBell()
    make(bell, high_water=2).run(once=True)
    assert (len(bell.rung["email"]), len(bell.rung["push"])) == (2, 2)
    assert Counter(statuses_of(*pushes)) == {QUEUED: 2, ACCEPTED: 1}


def test_as_hints_are_fetched_more_are_rung(some):
    some(5)
    bell = FakeBell()
    relay = make(bell, high_water=2)
    assert relay.top_up("email") == 2
    assert relay.top_up("email") == 0
    bell.rung["email"].clear()
    assert relay.top_up("email") == 2


def test_a_queue_with_little_room_is_left_alone_until_there_is_more(some):
    some(5)
    bell = FakeBell()
    bell.ready = 10
    relay = make(bell, high_water=12)
    assert relay.top_up("email") == 0
    bell.ready = 9
    assert relay.top_up("email") == 3


def test_many_are_rung_in_flights(some):
    some(7)
    bell = FakeBell()
    make(bell, flight=3).run(once=True)
    assert bell.flights == [3, 3, 1]


def test_channels_take_turns_however_much_is_due_on_the_first(some):
    some(9)
    some(2, channel=Channel.PUSH)
    order = []
    channels = dict(Notification.objects.values_list("pk", "channel"))
    bell = FakeBell(during_ring=lambda hints: order.append((channels[hints[0].id], len(hints))))
    make(bell, flight=3).run(once=True)
    assert order == [("email", 3), ("push", 2), ("email", 3), ("email", 3)]


def test_a_turn_ends_and_is_told_however_much_is_due(some):
    some(7)
    turns = []
    make(FakeBell(), flight=3).run(once=True, on_turn=turns.append)
    assert turns == [3, 3, 1, 0]


def test_what_the_broker_refuses_stays_accepted_and_is_told(some):
    rows = some(5)
    bell = FakeBell()
    bell.refuses = 2
    with capture_logs() as lines, pytest.raises(BrokerUnavailable):
        make(bell).top_up("email")
    assert Counter(statuses_of(*rows)) == {QUEUED: 3, ACCEPTED: 2}
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["action"], line["refused"]) == ("refused", 2)


def test_when_nobody_knows_what_the_broker_has_all_stay_accepted(some):
    def break_off(hints):
        raise BrokerUnavailable("The connection was lost.")

    rows = some(3)
    with pytest.raises(BrokerUnavailable):
        make(FakeBell(during_ring=break_off)).top_up("email")
    assert statuses_of(*rows) == [ACCEPTED] * 3


def test_a_notification_that_left_meanwhile_is_not_fetched_back(some):
    def claim_and_break_off(hints):
        outbox.claim([hint.id for hint in hints], channel="email", holder="c")
        raise BrokerUnavailable("The connection was lost.")

    rows = some(2)
    with pytest.raises(BrokerUnavailable):
        make(FakeBell(during_ring=claim_and_break_off)).top_up("email")
    assert statuses_of(*rows) == [Status.CLAIMED] * 2


def test_trouble_costs_a_pause_that_doubles_up_to_a_limit(some):
    some(1)
    bell, stopping = FakeBell(), Stopping(stop_after=8)
    bell.troubles = [BrokerUnavailable("away")] * 8
    make(bell, stopping=stopping).run()
    assert stopping.waits == [0.5, 1, 2, 4, 8, 15, 15, 15]


def test_once_goes_on_after_trouble_until_all_is_rung(some):
    some(2)
    bell = FakeBell()
    bell.troubles = [BrokerUnavailable("away"), BrokerUnavailable("away")]
    stopping = Stopping()
    make(bell, stopping=stopping).run(once=True)
    assert len(bell.rung["email"]) == 2


def test_a_database_that_is_away_costs_a_pause(some, monkeypatch):
    def refuse(**how):
        raise OperationalError("away")

    some(1)
    monkeypatch.setattr(outbox, "queue_due", refuse)
    stopping = Stopping(stop_after=2)
    make(FakeBell(), stopping=stopping).run()
    assert stopping.waits == [0.5, 1]


def test_a_broker_that_is_not_connected_is_asked_nothing(some):
    some(1)
    bell, turns, stopping = FakeBell(), [], threading.Event()
    bell.is_up = False

    def turn(published):
        turns.append(published)
        if len(turns) == 3:
            stopping.set()

    make(bell, stopping=stopping).run(on_turn=turn)
    assert (turns, bell.rung) == ([0, 0, 0], {})


def test_a_full_queue_is_looked_at_again_soon(some):
    some(3)
    bell, stopping = FakeBell(), Stopping(stop_after=3)
    make(bell, high_water=1, stopping=stopping).run()
    assert stopping.waits[1:] == [relay_module.FULL_PAUSE.total_seconds()] * 2


def test_after_a_small_flight_more_is_let_come_together(some):
    some(1)
    stopping = Stopping(stop_after=1)
    make(FakeBell(), stopping=stopping).run()
    assert stopping.waits == [relay_module.GATHER.total_seconds()]


def test_a_channel_with_nothing_due_costs_the_broker_nothing(monkeypatch):
    bell = FakeBell()
    monkeypatch.setattr(bell, "depth", lambda channel: pytest.fail("it was asked"))
    make(bell).run(once=True)


def test_an_idle_relay_waits_for_news(monkeypatch):
    waits, stopping = [], threading.Event()

    def wait_for_due(within):
        waits.append(within)
        stopping.set()

    monkeypatch.setattr(relay_module.due_signal, "wait_for_due", wait_for_due)
    make(FakeBell(), stopping=stopping).run()
    assert waits == [timedelta(seconds=1)]


def test_each_turn_tells_how_many_were_rung(some):
    some(2)
    turns = []
    make(FakeBell()).run(once=True, on_turn=turns.append)
    assert turns == [2, 0]


def test_the_bell_is_closed_even_when_the_loop_fails(some):
    def fail(hints):
        raise ZeroDivisionError("a fault of ours")

    some(1)
    bell = FakeBell(during_ring=fail)
    with pytest.raises(ZeroDivisionError):
        make(bell).run()
    assert bell.close_count == 1


# --- on real servers --------------------------------------------------------------------------------------------------


@pytest.fixture
def real(on_postgresql, rabbitmq_url, topology):
    """Makes bells of the real broker."""
    made = []

    def bell():
        made.append(RabbitMQBell(rabbitmq_url, topology=topology))
        assert made[-1].wait_until_up(timedelta(seconds=PATIENCE))
        return made[-1]

    yield bell
    for each in made:
        each.close()


def elsewhere(act):
    def run():
        act()
        connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_hints_arrive_in_the_real_queue(some, real, tap, topology):
    rows = some(30, available_at=ago(seconds=1))
    make(real()).run(once=True)
    assert {read_hint(body) for body in tap.take_all(topology.queue("email"))} == set(ids(rows))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_consumer_finds_the_row_free_while_the_broker_still_confirms(some, on_postgresql):
    claimed = []

    def claim_elsewhere(hints):
        def claim():
            found, _ = outbox.claim([hint.id for hint in hints], channel="email", holder="c")
            claimed.extend(row.pk for row in found)

        elsewhere(claim).join()

    rows = some(3)
    make(FakeBell(during_ring=claim_elsewhere)).top_up("email")
    assert set(claimed) == set(ids(rows))
    assert statuses_of(*rows) == [Status.CLAIMED] * 3


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_several_relays_ring_each_notification_once(some, real, tap, topology):
    rows = some(300)
    bells = [real() for _ in range(3)]
    threads = [elsewhere(lambda bell=bell: make(bell, high_water=1000, flight=20).run(once=True)) for bell in bells]
    for thread in threads:
        thread.join(PATIENCE)
    bodies = tap.take_all(topology.queue("email"))
    assert Counter(bodies) == Counter(hint_body(row.pk) for row in rows)
    assert set(Notification.objects.values_list("publish_count", flat=True)) == {1}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_waiting_relay_is_woken_by_a_submit(on_postgresql, monkeypatch):
    monkeypatch.setattr(relay_module, "LOOK_EVERY", timedelta(seconds=PATIENCE * 2))  # a poll would come too late
    person, template = UserFactory(), a_template()
    waiting = threading.Event()
    wait_for_due = relay_module.due_signal.wait_for_due

    def wait(within):
        wait_for_due(timedelta(0))  # listens from here on
        waiting.set()
        return wait_for_due(within)

    monkeypatch.setattr(relay_module.due_signal, "wait_for_due", wait)
    bell, stopping = FakeBell(during_ring=lambda hints: stopping.set()), threading.Event()
    thread = elsewhere(lambda: make(bell, stopping=stopping).run())
    assert waiting.wait(PATIENCE)
    notification = submit(person, template)
    thread.join(PATIENCE)
    assert bell.rung == {"email": [notification.pk]}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_connection_that_breaks_loses_no_hint(some, on_postgresql, wire, topology, tap):
    rows = some(400)
    bell = RabbitMQBell(wire.url, topology=topology)
    relay = make(bell, high_water=10_000, flight=20)
    stopping = relay._stopping
    thread = elsewhere(relay.run)
    for _ in range(3):
        until(lambda: bell._link.is_up, "the connection")
        wire.interrupt()
        until(lambda: not bell._link.is_up, "the loss")
    until(lambda: not Notification.objects.filter(status=ACCEPTED).exists(), "the last ring")
    stopping.set()
    thread.join(PATIENCE)
    # Some may have arrived twice.
    assert {read_hint(body) for body in tap.take_all(topology.queue("email"))} >= set(ids(rows))
