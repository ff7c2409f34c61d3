from datetime import timedelta

import pytest
from django.db import OperationalError
from prometheus_client import CollectorRegistry

from consumers import service_registry, table_gauges
from consumers.models import ServiceInstance
from consumers.table_gauges import TableGauges
from gateway import provider_states
from gateway.models import Notification
from gateway.statuses import Status
from tests.factories import NotificationFactory, ago, ahead
from tests.gateway.ledger_scene import claim, some

pytestmark = pytest.mark.django_db


class Clock:
    """Stands where it is put."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told(clock):
    registry = CollectorRegistry()
    registry.register(TableGauges(clock=clock))
    return lambda name, **labels: registry.get_sample_value(name, labels)


def test_the_queues_are_told_by_state(told):
    waiting, taken, *_ = some(4)
    Notification.objects.filter(pk=waiting.pk).update(available_at=ahead(hours=1))
    claim(taken)

    def messages(state):
        return told("notify_queue_messages", queue="email.queue", state=state)

    assert {state: messages(state) for state in ("due", "waiting", "queued", "sending")} == {
        "due": 2,
        "waiting": 1,
        "queued": 0,
        "sending": 1,
    }
    assert told("notify_queue_messages", queue="push.queue", state="due") == 0


def test_ages_are_those_of_the_oldest_whatever_its_priority(told):
    NotificationFactory(priority=2, available_at=ago(seconds=90))
    NotificationFactory(priority=8, available_at=ago(seconds=30))
    NotificationFactory(status=Status.QUEUED, available_at=ago(seconds=200), published_at=ago(seconds=200))

    assert told("notify_outbox_oldest_age_seconds") == pytest.approx(90, abs=5)
    assert told("notify_queue_oldest_message_age_seconds", queue="email.queue") == pytest.approx(200, abs=5)
    assert told("notify_queue_oldest_message_age_seconds", queue="push.queue") == 0


def test_what_waits_for_somebody_is_told_by_channel(told):
    NotificationFactory.create_batch(2, status=Status.FAILED)
    NotificationFactory(status=Status.FAILED, discarded_at=ago(hours=1))
    NotificationFactory(status=Status.UNKNOWN)
    for status in (Status.FAILED, Status.UNKNOWN):
        NotificationFactory(status=status, is_simulated=True)

    assert told("notify_dead_letters", channel="email") == 2
    assert told("notify_outcomes_unknown", channel="email") == 1
    assert told("notify_callbacks_pending") == 0


def test_no_count_goes_on_for_ever(told, monkeypatch):
    monkeypatch.setattr(table_gauges, "MOST", 2)
    some(3)

    assert told("notify_queue_messages", queue="email.queue", state="due") == 2


def test_a_breaker_is_in_one_state(told):
    provider_states.introduce("email", ["smtp"])

    states = {
        state: told("notify_breaker_state", channel="email", provider="smtp", state=state)
        for state in table_gauges.BREAKER_STATES
    }
    assert states == {"closed": 1, "half_open": 0, "open": 0}


def test_heartbeats_are_those_of_the_liveliest_of_a_role(told):
    for silent_for in (timedelta(minutes=5), timedelta(0)):
        each = service_registry.register(role="sweeper", port=None)
        ServiceInstance.objects.filter(pk=each.pk).update(heartbeat_at=ago(seconds=silent_for.total_seconds()))
    gone = service_registry.register(role="relay", port=None)
    service_registry.heartbeat(gone, ServiceInstance.State.STOPPED)

    latest = ServiceInstance.objects.filter(role="sweeper").latest("heartbeat_at").heartbeat_at
    assert told("notify_consumer_heartbeat_timestamp_seconds", role="sweeper") == latest.timestamp()
    assert told("notify_consumer_heartbeat_timestamp_seconds", role="relay") is None


def test_the_tables_are_asked_every_five_seconds_and_by_few_questions(clock, django_assert_max_num_queries):
    gauges = TableGauges(clock=clock)
    with django_assert_max_num_queries(22) as asked:
        gauges.collect()
        clock.now = 4.9
        gauges.collect()
    first = len(asked)
    clock.now = 5.0
    with django_assert_max_num_queries(22) as asked:
        gauges.collect()
    assert len(asked) == first


def test_while_the_database_is_away_nothing_is_made_up(clock, monkeypatch):
    def away():
        raise OperationalError("connection refused")

    monkeypatch.setattr(table_gauges, "database_now", away)

    assert TableGauges(clock=clock).collect() == []
