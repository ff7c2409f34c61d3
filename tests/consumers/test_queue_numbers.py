"""How full the queues are, counted."""

from datetime import timedelta

import pytest

from consumers import service_registry
from consumers.brokers.base import BrokerUnavailable, QueueDepth
from consumers.queue_numbers import queue_numbers
from gateway.statuses import Status
from tests.consumers.fake_bell import FakeBell
from tests.factories import NotificationFactory, PublishedVersionFactory, ago, ahead
from users.channels import Channel

pytestmark = pytest.mark.django_db


def test_an_empty_installation_has_empty_queues():
    email, push = queue_numbers(None)
    assert (email.queue, push.queue) == ("email.queue", "push.queue")
    assert (email.due, email.oldest, email.broker, email.consumers) == (0, None, None, 0)


def test_every_status_on_the_way_is_counted_per_channel():
    version = PublishedVersionFactory()
    counts = {"claimed": 1, "sending": 2, "unknown": 3, "failed": 4, "queued": 2, "sent": 1, "cancelled": 1}
    for status, count in counts.items():
        for _ in range(count):
            NotificationFactory(template_version=version, status=status, available_at=ago(seconds=10))
    for status in ("unknown", "failed"):  # tests wait for nobody
        NotificationFactory(template_version=version, status=status, is_simulated=True)
    NotificationFactory(template_version=version, available_at=ago(minutes=3))
    NotificationFactory(template_version=version, available_at=ahead(minutes=3))
    NotificationFactory(template_version=version, channel=Channel.PUSH, status=Status.SENDING)

    email, push = queue_numbers(None)

    assert (email.due, email.waiting, email.queued) == (1, 1, 2)
    assert (email.claimed, email.sending, email.unknown, email.failed) == (1, 2, 3, 4)
    assert timedelta(minutes=3) <= email.oldest < timedelta(minutes=10)
    assert (push.sending, push.due, push.oldest) == (1, 0, None)


def test_consumers_that_were_heard_of_are_counted():
    service_registry.register(role="email_consumer", port=None)
    assert [each.consumers for each in queue_numbers(None)] == [1, 0]


def test_the_brokers_numbers_stand_beside_and_may_be_missing():
    bell = FakeBell()
    bell.ready, bell.consumers = 7, 2
    bell.troubles = [BrokerUnavailable("away")]
    email, push = queue_numbers(bell)
    assert email.broker is None
    assert push.broker == QueueDepth(ready=7, consumers=2)
