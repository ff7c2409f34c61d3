"""Hints that led to nothing: which of them deserve a line."""

import uuid

import pytest
from structlog.testing import capture_logs

from channels_email.channel import EmailChannel
from consumers.delivery import Delivery
from consumers.dropped_hints import tell_dropped
from gateway.statuses import Status
from tests.consumers.engine import RULES, breakers_of, several
from tests.factories import NotificationFactory
from tests.fakes import ChannelWith, FakeProvider
from users.channels import Channel

pytestmark = pytest.mark.django_db


def told(*ids):
    with capture_logs() as lines:
        tell_dropped(ids, channel="email")
    return [(line["event"], line["count"], line["notification_id"]) for line in lines]


def test_a_second_hint_is_nothing_to_speak_of():
    row = NotificationFactory(status=Status.SENT)
    assert told(row.pk) == []


def test_a_hint_of_nothing_is_told():
    stranger = uuid.uuid4()
    assert told(stranger) == [("Dropped hints of notifications that do not exist.", 1, stranger)]


def test_a_hint_of_another_channel_is_told():
    push = NotificationFactory(channel=Channel.PUSH)
    assert told(push.pk) == [("Dropped hints that belong to another channel.", 1, push.pk)]


def test_a_delivery_tells_exactly_those_that_it_could_not_claim(journals):
    dropped, stranger = [], uuid.uuid4()
    (mine,), taken = several(1), NotificationFactory(status=Status.SENT)
    channel = ChannelWith(EmailChannel(), FakeProvider())
    delivery = Delivery(
        channel,
        holder="consumer-1",
        journal_folder=journals,
        rules=RULES,
        breakers=breakers_of(channel),
        on_dropped=dropped.append,
    )
    assert delivery.deliver([mine.pk, taken.pk, stranger]) == 1
    assert delivery.deliver([]) == 0
    delivery.close()
    assert dropped == [{taken.pk, stranger}]
