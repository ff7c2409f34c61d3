"""Does the broker hold what we would declare? And: declare it."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

from consumers.brokers.rabbitmq.bell import publish
from consumers.brokers.rabbitmq.errand import NOT_FOUND
from consumers.brokers.rabbitmq.hint_format import hint_body
from consumers.brokers.rabbitmq.link import Link
from consumers.brokers.rabbitmq.publisher import Outgoing, Publisher
from consumers.brokers.rabbitmq.topology import PROBE_ID, PROBE_LASTS, Topology

#: How long a broker may take to be connected when a person waits for it.
WITHIN = timedelta(seconds=10)


def declare(url: str, topology: Topology) -> list[str]:
    """Make what is missing; what the broker refused, a line each. Raises `BrokerUnavailable`."""
    with _linked(url, topology) as (link, _):
        replies = link.ask(topology.declarations())
    return [f"{reply.step.subject}: {reply.words}" for reply in replies if reply.is_refusal]


def differences(url: str, topology: Topology) -> list[str]:
    """What is missing or different, a line each; changes nothing. Raises `BrokerUnavailable`."""
    with _linked(url, topology) as (link, publisher):
        looked = link.ask(topology.look())
        found = [f"{reply.step.subject} is missing" for reply in looked if reply.code == NOT_FOUND]
        found += [f"{reply.step.subject}: {reply.words}" for reply in looked if reply.code not in (0, NOT_FOUND)]
        there = {reply.step.subject for reply in looked if not reply.is_refusal}
        compared = link.ask(topology.comparable(there))
        found += [f"{reply.step.subject} differs: {reply.words}" for reply in compared if reply.is_refusal]
        if f"exchange {topology.exchange}" in there:
            unbound = publish(link, publisher, [each for each in probes(topology) if f"queue {each.key}" in there])
            found += [f"binding of {queue} is missing" for queue in sorted(unbound)]
    return found


def remove(url: str, topology: Topology) -> None:
    """Take everything away, messages and all. For installations that end, and for tests."""
    with _linked(url, topology) as (link, _):
        link.ask(topology.removals())


def probes(topology: Topology) -> list[Outgoing]:
    """One hint per queue that only finds out whether the way is open: AMQP has no question for bindings.

    Consumers drop it without a word; in failed.queue it is gone before anybody sees it.
    """
    body, lasts = hint_body(PROBE_ID), str(round(PROBE_LASTS.total_seconds() * 1000))
    there = [Outgoing(queue, queue, body) for queue in topology.delivery_queues]
    return [*there, Outgoing(topology.failed, topology.failed, body, expiration=lasts)]


@contextlib.contextmanager
def _linked(url: str, topology: Topology) -> Iterator[tuple[Link, Publisher]]:
    """A connection that declares nothing by itself."""
    publisher = Publisher(topology.exchange)
    link = Link(url, declarations=(), parts=[publisher], name="declarations")
    try:
        if not link.wait_until_up(WITHIN):
            link.require()
        yield link, publisher
    finally:
        link.close()
