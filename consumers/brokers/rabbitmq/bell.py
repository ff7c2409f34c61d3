"""The relay's end: hints are published and confirmed, queues are looked at."""

from collections.abc import Sequence
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta
from uuid import UUID

from pika.exceptions import AMQPError

from consumers.brokers.base import BrokerReconnecting, BrokerUnavailable, QueueDepth
from consumers.brokers.rabbitmq.hint_format import dead_letter_body, hint_body
from consumers.brokers.rabbitmq.link import Link
from consumers.brokers.rabbitmq.publisher import Flight, Outgoing, Publisher
from consumers.brokers.rabbitmq.topology import Topology
from gateway.failpoints import failpoint
from gateway.outbox import Hint
from gateway.untold import GivenUp

#: The AMQP type of our own messages in failed.queue; what the broker set aside there has an `x-death` header instead.
DEAD_LETTER = "dead_letter"
#: A flight that has no answer by then counts as lost.
CONFIRM_WITHIN = timedelta(seconds=10)


class RabbitMQBell:
    """Implements `consumers.brokers.base.Bell` with a connection of its own.

    A connection that publishes is what RabbitMQ stops reading from when memory or disk run out: acknowledgements of
    consumers must not wait in the same line.
    """

    def __init__(self, url: str, *, topology: Topology | None = None, name: str = "relay") -> None:
        self._topology = topology or Topology()
        self._publisher = Publisher(self._topology.exchange)
        self._link = Link(url, declarations=self._topology.declarations(), parts=[self._publisher], name=name)

    def depth(self, channel: str) -> QueueDepth:
        """Ready messages and consumers. A queue that is missing is declared again by a new connection."""
        return self._depth(self._topology.queue(channel))

    def failed_depth(self) -> QueueDepth:
        """The same of failed.queue."""
        return self._depth(self._topology.failed)

    def ring(self, channel: str, hints: Sequence[Hint]) -> set[UUID]:
        """Raises `BrokerUnavailable` when it is not certain of all."""
        key = self._topology.queue(channel)
        return self._publish([Outgoing(str(hint.id), key, hint_body(hint.id), hint.correlation_id) for hint in hints])

    def tell_dead_letters(self, given_up: Sequence[GivenUp]) -> set[UUID]:
        """Id and reason for whoever watches. Raises `BrokerUnavailable` when it is not certain of all."""
        key = self._topology.failed
        return self._publish(
            [
                Outgoing(str(each.id), key, dead_letter_body(each), each.correlation_id, type=DEAD_LETTER)
                for each in given_up
            ]
        )

    def wait_until_up(self, within: timedelta) -> bool:
        """Whether it was connected in time."""
        return self._link.wait_until_up(within)

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def _publish(self, outgoing: Sequence[Outgoing]) -> set[UUID]:
        refused = publish(self._link, self._publisher, outgoing)
        if refused:
            # Somebody has deleted a queue or a binding: connecting anew declares it again.
            self._link.renew()
        return {UUID(each) for each in refused}

    def _depth(self, queue: str) -> QueueDepth:
        self._link.require(to_publish=True)
        (reply,) = self._link.ask([self._topology.depth_of(queue)])
        if reply.is_refusal:
            self._link.renew()
            raise BrokerUnavailable(reply.words)
        return QueueDepth(ready=reply.method.message_count, consumers=reply.method.consumer_count)


def publish(link: Link, publisher: Publisher, messages: Sequence[Outgoing]) -> set[str]:
    """Wait for the confirms; the keys of messages that no queue took. Raises `BrokerUnavailable` if that is unknown."""
    link.require(to_publish=True)
    flight = Flight(messages)
    publisher.board(flight)
    if not link.call(publisher.take_off):
        raise BrokerReconnecting("The connection to RabbitMQ was lost.")
    failpoint("relay.published")
    try:
        return flight.landed.result(CONFIRM_WITHIN.total_seconds())
    except TooLate as error:
        # What still waits in our buffers must not go out later: whoever asked is about to publish it again.
        link.renew()
        raise BrokerUnavailable("RabbitMQ does not confirm.") from error
    except AMQPError as error:
        raise BrokerUnavailable(str(error)) from error
