"""What is declared, and how a difference is told."""

import pytest

from consumers.brokers.base import BrokerUnavailable
from consumers.brokers.rabbitmq import declaration
from consumers.brokers.rabbitmq.topology import Topology


def differences(url, topology):
    return declaration.differences(url, topology)


def test_on_an_empty_broker_everything_is_missing_and_looking_makes_nothing(rabbitmq_url, topology):
    things = ["exchange notifications.direct", "queue email.queue", "queue push.queue", "queue failed.queue"]
    missing = [thing.replace(" ", f" {topology.prefix}") + " is missing" for thing in things]
    assert differences(rabbitmq_url, topology) == missing
    assert differences(rabbitmq_url, topology) == missing


def test_what_was_declared_does_not_differ_and_may_be_declared_again(rabbitmq_url, topology):
    for _ in range(2):
        assert declaration.declare(rabbitmq_url, topology) == []
    assert differences(rabbitmq_url, topology) == []


def test_looking_leaves_nothing_in_the_failed_queue(rabbitmq_url, topology, tap):
    assert differences(rabbitmq_url, topology) == []
    assert tap.take_all(topology.failed) == []


def test_a_queue_with_other_properties_differs_and_cannot_be_declared(rabbitmq_url, topology, tap):
    queue = topology.queue("push")
    tap.ask("queue_delete", queue=queue)
    tap.ask("queue_declare", queue=queue, durable=True)
    for found in (differences(rabbitmq_url, topology), declaration.declare(rabbitmq_url, topology)):
        assert any(line.startswith(f"queue {queue}") and "inequivalent arg" in line for line in found)


def test_a_binding_that_is_gone_is_told_and_made_again(rabbitmq_url, topology, tap):
    for queue in (topology.queue("email"), topology.failed):
        tap.ask("queue_unbind", queue=queue, exchange=topology.exchange, routing_key=queue)
        assert differences(rabbitmq_url, topology) == [f"binding of {queue} is missing"]
        assert declaration.declare(rabbitmq_url, topology) == []
        assert differences(rabbitmq_url, topology) == []


def test_what_is_removed_is_missing(rabbitmq_url, topology):
    declaration.declare(rabbitmq_url, topology)
    declaration.remove(rabbitmq_url, topology)
    assert len(differences(rabbitmq_url, topology)) == 4


def test_a_broker_that_is_away_is_told(wire, topology, monkeypatch):
    monkeypatch.setattr(declaration, "WITHIN", declaration.WITHIN / 20)
    wire.cut()
    with pytest.raises(BrokerUnavailable, match="No connection to RabbitMQ"):
        differences(wire.url, topology)


def test_without_a_prefix_the_names_are_those_everybody_knows():
    plain = Topology()
    assert (plain.exchange, plain.failed) == ("notifications.direct", "failed.queue")
    assert plain.delivery_queues == ["email.queue", "push.queue"]
