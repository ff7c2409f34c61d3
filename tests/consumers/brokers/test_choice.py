"""The one place that asks which broker is used."""

import threading
import uuid

import pytest
from structlog.testing import capture_logs

from consumers.brokers import choice
from consumers.brokers.database import DatabaseBroker
from consumers.brokers.hints_and_table import HintsAndTable


def brokers(threads=2):
    return choice.brokers_for("email", threads=threads, prefetch=10, wake=threading.Event())


def test_without_an_address_the_table_is_the_queue():
    assert not choice.uses_rabbitmq()
    assert [type(each) for each in brokers()] == [DatabaseBroker, DatabaseBroker]


def test_with_an_address_the_threads_share_a_connection(rabbitmq_settings):
    shares = brokers(3)
    assert [type(each) for each in shares] == [HintsAndTable] * 3
    assert len({id(share._hints._broker) for share in shares}) == 1
    for share in shares:
        share.close()


@pytest.mark.parametrize(
    ("url", "address", "host_and_port"),
    [
        ("amqp://ann:s3cret@mq.internal/", "amqp://mq.internal:5672/", ("mq.internal", 5672)),
        ("amqps://ann:s3cret@mq.internal/live", "amqps://mq.internal:5671/live", ("mq.internal", 5671)),
        ("amqp://mq.internal:5673/%2F?heartbeat=7", "amqp://mq.internal:5673/%2F", ("mq.internal", 5673)),
    ],
)
def test_an_address_is_shown_without_user_and_password(settings, url, address, host_and_port):
    settings.RABBITMQ_URL = url
    assert choice.address() == address
    assert choice.host_and_port() == host_and_port


def test_the_prefix_stands_before_every_name(settings):
    settings.RABBITMQ_PREFIX = "blue."
    assert choice.topology().delivery_queues == ["blue.email.queue", "blue.push.queue"]


@pytest.mark.django_db
def test_only_hints_from_outside_are_worth_a_line(settings):
    for url, count in (("", 0), ("amqp://mq.internal/", 1)):
        settings.RABBITMQ_URL = url
        with capture_logs() as lines:
            choice.tell_dropped([uuid.uuid4()], channel="email")
        assert len(lines) == count
