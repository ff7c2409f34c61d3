"""Before the broker: due rows are called queued, and opened again when their hint is lost."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from gateway import outbox, statuses
from gateway.models import Notification
from gateway.outbox import FORGOTTEN_AFTER, MOST_PUBLISHES, Held, Hint, Verdict
from gateway.statuses import Status
from tests.factories import NotificationFactory, PublishedVersionFactory, ago, ahead
from users.channels import Channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def make():
    version = PublishedVersionFactory()
    return lambda **fields: NotificationFactory(template_version=version, **fields)


def now_as(row: Notification) -> Notification:
    return Notification.objects.get(pk=row.pk)


def queue_due(limit=10, channel=Channel.EMAIL):
    return [hint.id for hint in outbox.queue_due(channel=channel, limit=limit)]


def test_the_most_urgent_then_the_oldest_are_queued_first(make):
    young, old = make(available_at=ago(seconds=5)), make(available_at=ago(seconds=50))
    urgent = make(available_at=ago(seconds=1), priority=10)
    assert set(queue_due(limit=2)) == {urgent.pk, old.pk}
    assert queue_due() == [young.pk]


def test_hints_come_in_the_order_in_which_they_are_to_be_published(make):
    rows = [make(priority=priority) for priority in (1, 9, 5)]
    assert queue_due() == [rows[1].pk, rows[2].pk, rows[0].pk]


def test_a_hint_carries_the_correlation_id(make):
    row = make(correlation_id="story-1")
    assert outbox.queue_due(channel=Channel.EMAIL, limit=1) == [Hint(row.pk, "story-1")]


def test_a_queued_row_knows_when_and_how_often_it_was_published(make):
    row = make()
    queue_due()
    found = now_as(row)
    assert (found.status, found.publish_count) == (Status.QUEUED, 1)
    assert Notification.objects.filter(published_at__gt=Now() - timedelta(minutes=1), updated_at__lte=Now()).exists()


def test_only_what_is_due_and_useful_and_of_the_channel_is_queued(make):
    make(available_at=ahead(hours=1))
    make(expires_at=ago(seconds=1))
    make(channel=Channel.PUSH)
    for status in set(Status) - {Status.ACCEPTED}:
        make(status=status)
    assert queue_due() == []


def test_what_is_queued_is_not_queued_again(make):
    make()
    assert len(queue_due()) == 1
    assert queue_due() == []


def test_a_queued_row_can_be_claimed_cancelled_and_expires(make):
    claimed, cancelled, late = make(), make(), make()
    queue_due()
    assert [row.pk for row in outbox.claim([claimed.pk], channel=Channel.EMAIL, holder="c")[0]] == [claimed.pk]
    outbox.cancel(cancelled.pk, who="Ann")
    Notification.objects.filter(pk=late.pk).update(expires_at=Now())
    outbox.expire_overdue(limit=10)
    assert [now_as(row).status for row in (claimed, cancelled, late)] == ["claimed", "cancelled", "expired"]


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(hours=1)])
def test_what_a_consumer_puts_back_is_queued_again_when_it_is_due(make, wait):
    row = make()
    queue_due()
    ((claimed,), _) = outbox.claim([row.pk], channel=Channel.EMAIL, holder="c")
    held = Held(claimed.pk, claimed.claim_token)
    if wait:
        outbox.settle([(held, Verdict(change=statuses.POSTPONE, reason="retrying", available=wait))])
        assert queue_due() == []
        Notification.objects.filter(pk=row.pk).update(available_at=Now())
    else:
        outbox.release([held])
    assert queue_due() == [row.pk]
    assert now_as(row).publish_count == 2


def test_publishes_are_counted_only_so_far(make):
    row = make(publish_count=MOST_PUBLISHES)
    queue_due()
    assert now_as(row).publish_count == MOST_PUBLISHES


def test_what_the_broker_did_not_take_is_accepted_and_due_again(make):
    row, other = make(), make()
    queue_due()
    assert outbox.reopen([row.pk]) == 1
    assert [now_as(each).status for each in (row, other)] == [Status.ACCEPTED, Status.QUEUED]
    assert queue_due() == [row.pk]


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.QUEUED}))
def test_only_what_is_queued_is_opened_again(make, status):
    row = make(status=status, published_at=ago(days=1), publish_count=1)
    assert outbox.reopen([row.pk]) == 0
    assert outbox.reopen_oldest(channel=Channel.EMAIL, limit=10) == 0
    assert outbox.reopen_forgotten(limit=10) == 0
    assert now_as(row).status == status


def test_nothing_to_open_opens_nothing(make):
    make(status=Status.QUEUED)
    assert outbox.reopen([]) == 0


def test_of_the_missing_those_published_first_are_opened_again(make):
    rows = [make(status=Status.QUEUED, published_at=ago(seconds=seconds)) for seconds in (10, 30, 20)]
    make(status=Status.QUEUED, published_at=ago(seconds=99), channel=Channel.PUSH)
    assert outbox.reopen_oldest(channel=Channel.EMAIL, limit=2) == 2
    assert [now_as(row).status for row in rows] == [Status.QUEUED, Status.ACCEPTED, Status.ACCEPTED]


@pytest.mark.parametrize(("count", "minutes"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (50, 60)])
def test_a_forgotten_row_waits_longer_with_every_publish(make, count, minutes):
    fields = {"status": Status.QUEUED, "publish_count": count}
    forgotten = make(published_at=ago(minutes=minutes, seconds=5), **fields)
    young = make(published_at=ago(minutes=minutes, seconds=-5), **fields)
    assert outbox.reopen_forgotten(limit=10) == 1
    assert [now_as(row).status for row in (forgotten, young)] == [Status.ACCEPTED, Status.QUEUED]


def test_no_more_is_opened_again_than_told(make):
    for _ in range(3):
        make(status=Status.QUEUED, publish_count=1, published_at=ago(days=1))
    assert outbox.reopen_forgotten(limit=2) == 2
    assert outbox.reopen_oldest(channel=Channel.EMAIL, limit=0) == 0


def test_the_patience_is_that_of_the_design():
    assert [wait.total_seconds() / 60 for wait in FORGOTTEN_AFTER] == [2, 4, 8, 16, 32, 60]


def test_the_sweepers_question_about_hints_uses_its_index(make, on_postgresql):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Notification.objects.hinted(longer_than=timedelta(seconds=2)).filter(channel="email").explain()
    assert "hinted" in plan
