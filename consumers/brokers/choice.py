"""Which broker this installation uses. The only place that asks: who has no RabbitMQ does not load its library."""

import threading
from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from consumers import dropped_hints
from consumers.brokers.base import Broker
from consumers.brokers.database import DatabaseBroker
from consumers.brokers.hints_and_table import HintsAndTable
from consumers.brokers.rabbitmq.topology import Topology

if TYPE_CHECKING:
    from consumers.brokers.rabbitmq.bell import RabbitMQBell

DEFAULT_PORT = {"amqp": 5672, "amqps": 5671}


def uses_rabbitmq() -> bool:
    """Otherwise the table is the queue, and there is nothing to relay."""
    return bool(settings.RABBITMQ_URL)


def topology() -> Topology:
    """The names of exchange and queues here."""
    return Topology(prefix=settings.RABBITMQ_PREFIX)


def brokers_for(channel: str, *, threads: int, prefetch: int, wake: threading.Event) -> list[Broker]:
    """One for each sender thread; with RabbitMQ they share a connection and what it has fetched."""
    if uses_rabbitmq():
        from consumers.brokers.rabbitmq.broker import RabbitMQBroker  # noqa: PLC0415  only where it is used

        broker = RabbitMQBroker(settings.RABBITMQ_URL, channel, prefetch=prefetch, topology=topology())
        return [HintsAndTable(share, channel) for share in broker.shares(threads)]
    return [DatabaseBroker(channel, wake=wake) for _ in range(threads)]


def tell_dropped(ids: Collection[UUID], *, channel: str) -> None:
    """Hints that led nowhere are worth a line where they come from outside; of the table itself they are ordinary."""
    if uses_rabbitmq():
        dropped_hints.tell_dropped(ids, channel=channel)


def bell(name: str) -> "RabbitMQBell":
    """Where the relay rings and the sweeper looks; only with RabbitMQ. `name` is what the broker lists it as."""
    from consumers.brokers.rabbitmq.bell import RabbitMQBell  # noqa: PLC0415  only where it is used

    return RabbitMQBell(settings.RABBITMQ_URL, topology=topology(), name=name)


def host_and_port() -> tuple[str, int]:
    """Where RabbitMQ listens."""
    parts = urlsplit(settings.RABBITMQ_URL)
    return parts.hostname or "localhost", parts.port or DEFAULT_PORT[parts.scheme]


def address() -> str:
    """The broker as people know it, without user and password."""
    parts = urlsplit(settings.RABBITMQ_URL)
    host, port = host_and_port()
    return f"{parts.scheme}://{host}:{port}{parts.path}"
