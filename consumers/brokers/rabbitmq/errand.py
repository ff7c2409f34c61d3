"""A list of steps carried out one after the other on a channel of their own."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from pika.exceptions import ChannelClosedByBroker

from consumers.brokers.rabbitmq.topology import Step

#: AMQP 0-9-1, section 1.2: there is no such thing; it exists with other properties.
NOT_FOUND, PRECONDITION_FAILED = 404, 406


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the broker answered to a step."""

    step: Step
    #: pika's object for the answer; None when it was refused.
    method: Any = None
    #: Of a refusal: AMQP's number and the broker's words.
    code: int = 0
    words: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether nothing was done."""
        return self.code != 0


class Errand:
    """Runs on the connection's thread. A refusal closes the channel, by the protocol; another one takes the rest."""

    def __init__(self, steps: Sequence[Step]) -> None:
        #: Resolves to one reply per step.
        self.done: Future[list[Reply]] = Future()
        self._connection: Any = None
        self._left = deque(steps)
        self._replies: list[Reply] = []

    def begin(self, connection: Any) -> None:
        """Open a channel and take the first step."""
        self._connection = connection
        connection.channel(on_open_callback=self._opened)

    def _opened(self, channel: Any) -> None:
        channel.add_on_close_callback(self._closed)
        self._go_on(channel)

    def _go_on(self, channel: Any) -> None:
        if not self._left:
            self.done.set_result(self._replies)
            channel.close()
            return
        step = self._left[0]
        getattr(channel, step.method)(**step.arguments, callback=self._answered(channel, step))

    def _answered(self, channel: Any, step: Step) -> Callable[[Any], None]:
        def answered(frame: Any) -> None:
            self._left.popleft()
            self._replies.append(Reply(step=step, method=frame.method))
            self._go_on(channel)

        return answered

    def _closed(self, channel: Any, reason: Exception) -> None:
        if self._left and isinstance(reason, ChannelClosedByBroker):
            step = self._left.popleft()
            self._replies.append(Reply(step=step, code=reason.reply_code, words=reason.reply_text))
            self.begin(self._connection)
        else:
            self.give_up(reason)

    def give_up(self, reason: Exception) -> None:
        """The connection is gone; nothing happens when all was done before."""
        if not self.done.done():
            self.done.set_exception(reason)
