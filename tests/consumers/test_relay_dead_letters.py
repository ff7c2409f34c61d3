"""What is given up is told on failed.queue: each dead letter at least once, whoever dies in between."""

import threading
from datetime import timedelta

import orjson
import pytest
from django.db import connection
from structlog.testing import capture_logs

from consumers import relay as relay_module
from consumers.brokers.base import BrokerUnavailable
from consumers.brokers.rabbitmq.bell import RabbitMQBell
from consumers.relay import Relay
from gateway import replaying, untold
from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.fake_bell import FakeBell
from tests.factories import NotificationFactory, PublishedVersionFactory, ago, ahead
from tests.rabbitmq_server import PATIENCE
from users.channels import Channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead():
    version = PublishedVersionFactory()

    def make(count=1, **columns):
        given = {"status": Status.FAILED, "reason": "poison", "correlation_id": "story-1"}
        return NotificationFactory.create_batch(count, **({"template_version": version} | given | columns))

    return make


@pytest.fixture(autouse=True)
def _connections_stay(monkeypatch):
    """A test within a transaction still needs its own."""
    monkeypatch.setattr(relay_module, "close_old_connections", lambda: None)


def run_once(bell, **how):
    Relay(bell, channels=Channel.values, high_water=100, stopping=threading.Event(), **how).run(once=True)


def count_untold():
    return Notification.objects.filter(dead_lettered_at__isnull=True).count()


def test_every_dead_letter_is_told_once_with_its_reason(dead):
    rows, bell = dead(3), FakeBell()
    NotificationFactory(status=Status.SENT)
    run_once(bell)
    run_once(bell)
    assert [(each.id, each.reason, each.channel, each.correlation_id) for each in bell.told] == [
        (row.pk, "poison", "email", "story-1") for row in rows
    ]


def test_many_are_told_in_flights(dead):
    rows, bell = dead(5), FakeBell()
    run_once(bell, flight=2)
    assert {each.id for each in bell.told} == {row.pk for row in rows}
    assert bell.told_flights == [2, 2, 1]
    assert count_untold() == 0


def test_one_given_up_in_the_very_first_moment_of_a_second_is_told_once(dead):
    """SQLite compares moments as texts; .000 was once written in two ways."""
    (row,) = dead()
    on_the_second = row.updated_at.replace(microsecond=0)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:  # as its own clock writes it
            cursor.execute(
                "UPDATE gateway_notification SET updated_at = %s", [f"{on_the_second:%Y-%m-%d %H:%M:%S}.000"]
            )
    else:
        Notification.objects.filter(pk=row.pk).update(updated_at=on_the_second)
    assert untold.mark_told(untold.dead_letters(limit=10)) == 1


def test_a_relay_that_is_killed_between_publish_and_mark_tells_them_twice_at_most(dead, monkeypatch):
    class Killed(Exception):
        pass

    def die(told):
        raise Killed

    dead(2)
    bell = FakeBell()
    with monkeypatch.context() as context:
        context.setattr(untold, "mark_told", die)
        with pytest.raises(Killed):
            run_once(bell)
    run_once(bell)
    run_once(bell)
    assert len(bell.told) == 4


def test_what_the_broker_refuses_is_told_later_and_hints_do_not_wait(dead):
    dead(2)
    due = NotificationFactory()
    bell = FakeBell()
    bell.refuses_dead_letters = 1
    with capture_logs() as lines:
        run_once(bell)
    assert count_untold() == 2  # the refused one, and the due one that is no dead letter
    assert bell.rung == {"email": [due.pk]}
    assert [line["refused"] for line in lines if line["action"] == "refused"] == [1]
    run_once(bell)
    assert count_untold() == 1


def test_when_nobody_knows_what_the_broker_has_all_are_told_again(dead):
    dead(2)
    bell = FakeBell()
    bell.telling_trouble = BrokerUnavailable("The connection was lost.")
    relay = Relay(bell, channels=[], high_water=100, stopping=threading.Event())
    assert relay._turn() is None
    assert count_untold() == 2


def test_a_dead_letter_that_got_another_life_and_failed_anew_is_told_anew(dead):
    (row,) = dead()
    (given_up,) = untold.dead_letters(limit=10)
    replaying.replay([row.pk], who="Ann", why="again")
    held = {"claim_token": row.pk, "lease_expires_at": ahead(seconds=30)}
    Notification.objects.filter(pk=row.pk).update(status=Status.CLAIMED, **held)
    Notification.objects.filter(pk=row.pk).update(status=Status.FAILED, updated_at=ahead(seconds=1))
    assert untold.mark_told([given_up]) == 0
    assert count_untold() == 1


def test_a_replayed_one_is_not_marked(dead):
    (row,) = dead()
    (given_up,) = untold.dead_letters(limit=10)
    replaying.replay([row.pk], who="Ann", why="again")
    assert untold.mark_told([given_up]) == 0


def test_those_given_up_first_are_told_first(dead):
    late, early = dead(2)
    Notification.objects.filter(pk=early.pk).update(updated_at=ago(hours=1))
    assert [each.id for each in untold.dead_letters(limit=10)] == [early.pk, late.pk]


def test_discarding_hides_nothing_from_failed_queue(dead):
    (row,) = dead(discarded_at=ago(seconds=1))
    bell = FakeBell()
    run_once(bell)
    assert [each.id for each in bell.told] == [row.pk]


def test_they_arrive_in_the_real_queue(dead, on_postgresql, rabbitmq_url, topology, tap):
    rows = dead(30)
    bell = RabbitMQBell(rabbitmq_url, topology=topology)
    assert bell.wait_until_up(timedelta(seconds=PATIENCE))
    run_once(bell, flight=10)
    told = [orjson.loads(body) for body in tap.take_all(topology.failed)]
    assert {each["id"] for each in told} == {str(row.pk) for row in rows}
    assert {key for each in told for key in each} == {"v", "id", "reason", "channel", "correlation_id"}
    assert count_untold() == 0


def test_a_test_wakes_nobody_who_watches_failed_queue(dead):
    dead(1, is_simulated=True)
    (row,) = dead(1)
    bell = FakeBell()
    run_once(bell)
    assert [each.id for each in bell.told] == [row.pk]
    assert count_untold() == 0
