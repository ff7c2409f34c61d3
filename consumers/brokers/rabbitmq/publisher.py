"""Messages that must arrive: persistent, mandatory, and confirmed in a pipeline."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

import pika
from pika.exceptions import AMQPError

#: Survives a restart of the broker.
PERSISTENT = 2


class Outgoing(NamedTuple):
    """One message. `key` names it in the answer and is unique among those of one flight."""

    key: str
    routing_key: str
    body: bytes
    correlation_id: str = ""
    #: Milliseconds, as text (AMQP 0-9-1, section 4.2.6 of RabbitMQ's extensions); empty for no limit.
    expiration: str = ""
    #: What kind of message it is, for those who watch; empty for a hint.
    type: str = ""


class Flight:
    """Messages published together."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.messages = messages
        #: Resolves to the keys of those that no queue took; fails when the connection is lost before all are answered.
        self.landed: Future[set[str]] = Future()
        self._open = len(messages)
        self._refused: set[str] = set()
        if not messages:
            self.landed.set_result(set())

    def answered(self, key: str, *, is_taken: bool) -> None:
        """The broker has said what became of one message."""
        self._open -= 1
        if not is_taken:
            self._refused.add(key)
        if self._open == 0 and not self.landed.done():
            self.landed.set_result(self._refused)

    def crash(self, reason: Exception) -> None:
        """Nobody knows what became of the rest."""
        if not self.landed.done():
            self.landed.set_exception(reason)


class Publisher:
    """A part of a link. `board` may be called from any thread, all else belongs to the link's thread."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._channel: Any = None
        self._waiting: deque[Flight] = deque()
        #: By delivery tag, those the broker has not answered.
        self._unanswered: dict[int, tuple[Flight, str]] = {}
        self._returned: set[str] = set()
        self._last_tag = self._answered_up_to = 0

    def board(self, flight: Flight) -> None:
        """Queue a flight up; `take_off` on the link's thread sends it."""
        self._waiting.append(flight)

    def take_off(self) -> None:
        """Publish all that has boarded."""
        while self._waiting:
            flight = self._waiting.popleft()
            if self._channel is None or not self._channel.is_open:
                flight.crash(AMQPError("There is no channel."))
                continue
            for message in flight.messages:
                self._publish(flight, message)

    def opened(self, channel: Any) -> None:
        """Tags begin anew with every channel."""
        self._channel = channel
        self._last_tag = self._answered_up_to = 0
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm)

    def lost(self) -> None:
        """What has no answer never gets one."""
        self._channel = None
        flights = {id(flight): flight for flight, _ in self._unanswered.values()}
        flights |= {id(flight): flight for flight in self._waiting}
        self._waiting.clear()
        self._unanswered.clear()
        self._returned.clear()
        for flight in flights.values():
            flight.crash(AMQPError("The connection was lost."))

    def _publish(self, flight: Flight, message: Outgoing) -> None:
        self._last_tag += 1
        self._unanswered[self._last_tag] = flight, message.key
        properties = pika.BasicProperties(
            content_type="application/json",
            delivery_mode=PERSISTENT,
            message_id=message.key,
            correlation_id=message.correlation_id or None,
            expiration=message.expiration or None,
            type=message.type or None,
        )
        # Mandatory: RabbitMQ confirms a message that no queue wants, and drops it.
        self._channel.basic_publish(self._exchange, message.routing_key, message.body, properties, mandatory=True)

    def _on_return(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        """No queue wants it. The broker says so before it confirms."""
        self._returned.add(properties.message_id)

    def _on_confirm(self, frame: Any) -> None:
        tag, is_ack = frame.method.delivery_tag, isinstance(frame.method, pika.spec.Basic.Ack)
        tags = range(self._answered_up_to + 1, tag + 1) if frame.method.multiple else (tag,)
        for each in tags:
            flight, key = self._unanswered.pop(each, (None, ""))
            if flight is not None:
                flight.answered(key, is_taken=is_ack and key not in self._returned)
                self._returned.discard(key)
        if frame.method.multiple:
            self._answered_up_to = tag
