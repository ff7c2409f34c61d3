"""One AMQP connection on a thread of its own, opened again whenever it is lost.

pika's SelectConnection is not thread-safe: everything that touches it or its channels runs on this thread. Other
threads hand functions over with `call` and wait for futures. The thread does nothing else, so heartbeats go on however
long a provider takes.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta
from typing import Any, Protocol

import pika
import structlog
from pika.exceptions import AMQPError

from consumers.brokers.base import BrokerReconnecting, BrokerUnavailable
from consumers.brokers.rabbitmq.errand import Errand, Reply
from consumers.brokers.rabbitmq.forgiving_properties import forgive_forged_headers
from consumers.brokers.rabbitmq.topology import Step

log = structlog.stdlib.get_logger(__name__)

#: Pauses before a lost connection is opened again: first and longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(milliseconds=500), timedelta(seconds=15)
#: After so long without a sign of life from the broker the connection counts as lost.
HEARTBEAT = timedelta(seconds=30)
#: So long the broker may refuse to read from us (memory or disk alarm) before we hang up and try anew.
BLOCKED_FOR = timedelta(seconds=60)
#: For TCP, TLS and the AMQP greeting together.
CONNECT_WITHIN = timedelta(seconds=10)
#: What the broker may take to answer.
ANSWER_WITHIN = timedelta(seconds=10)
CLOSE_WITHIN = timedelta(seconds=5)


class Part(Protocol):
    """Something that works on a channel of its own. Both are called on the connection's thread."""

    def opened(self, channel: Any) -> None:
        """Here is a new channel; the one before is gone, and all that was under way on it."""

    def lost(self) -> None:
        """The channel is gone."""


class Link:
    """Keeps a connection to the broker until `close`. Made, it begins to connect; it never fails, it tries again."""

    def __init__(self, url: str, *, declarations: Sequence[Step], parts: Sequence[Part] = (), name: str) -> None:
        self._parameters = _parameters(url, name)
        self._declarations = declarations
        self._parts = parts
        self._closing = threading.Event()
        self._up = threading.Event()
        #: Guards the two below, which are None while there is no connection.
        self._lock = threading.Lock()
        self._connection: Any = None
        self._loop: Any = None
        self._parts_left = 0
        self._is_blocked = False
        self._was_up = self._has_been_away = False
        #: Why the last connection ended, in words.
        self._trouble = ""
        self._errands: set[Errand] = set()
        forgive_forged_headers()
        self._thread = threading.Thread(target=self._run, name="rabbitmq", daemon=True)
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Whether everything is declared and every part has its channel."""
        return self._up.is_set()

    def wait_until_up(self, within: timedelta) -> bool:
        """Whether it was up in time."""
        return self._up.wait(within.total_seconds())

    def require(self, *, to_publish: bool = False) -> None:
        """Raises `BrokerUnavailable` unless there is a connection, for publishing one that the broker reads from."""
        if not self.is_up:
            raise BrokerReconnecting(f"No connection to RabbitMQ. {self._trouble}".strip())
        if to_publish and self._is_blocked:
            raise BrokerUnavailable("RabbitMQ takes no messages at the moment.")

    def call(self, function: Callable[[], None]) -> bool:
        """Have `function` run on the connection's thread; False when there is no connection."""
        with self._lock:
            if self._loop is None:
                return False
            self._loop.add_callback_threadsafe(lambda: self._guarded(function))
            return True

    def ask(self, steps: Sequence[Step]) -> list[Reply]:
        """Carry out steps; refusals are replies. Raises `BrokerUnavailable`."""
        self.require()
        errand = Errand(steps)
        if not self.call(lambda: self._send(errand)):
            raise BrokerReconnecting("The connection to RabbitMQ was lost.")
        try:
            return errand.done.result(ANSWER_WITHIN.total_seconds())
        except TooLate as error:
            raise BrokerUnavailable("RabbitMQ does not answer.") from error
        except AMQPError as error:
            raise BrokerUnavailable(_words(error)) from error

    def renew(self) -> None:
        """Hang up and connect anew: what is under way is given up, what was deleted is declared again."""
        self._up.clear()
        self.call(self._hang_up)

    def close(self) -> None:
        """Hang up for good. May be called twice."""
        self._closing.set()
        self._up.clear()
        self.call(self._hang_up)
        self._thread.join(CLOSE_WITHIN.total_seconds())

    # --- on the connection's thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._closing.is_set():
            self._was_up, self._trouble = False, ""
            try:
                self._live()
            except Exception as error:  # a fault, or no more file descriptors: whatever it is, the thread must go on
                log.exception("The connection to RabbitMQ failed.", action="rabbitmq_lost")
                self._trouble = _words(error)
            if self._was_up:
                pause = FIRST_PAUSE
            self._closing.wait(pause.total_seconds())
            pause = min(pause * 2, LONGEST_PAUSE)

    def _live(self) -> None:
        """One connection, from its first byte to its last."""
        connection = pika.SelectConnection(
            self._parameters,
            on_open_callback=self._opened,
            on_open_error_callback=self._ended,
            on_close_callback=self._ended,
        )
        loop = connection.ioloop
        with self._lock:
            self._connection, self._loop = connection, loop
        try:
            if self._closing.is_set():  # `close` came before there was something to close
                self._hang_up()
            loop.start()
        finally:
            self._up.clear()
            with self._lock:
                self._connection = self._loop = None
            self._forget()
            loop.close()

    def _opened(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(self._blocked)
        connection.add_on_connection_unblocked_callback(self._unblocked)
        errand = Errand(self._declarations)
        errand.done.add_done_callback(lambda done: self._guarded(lambda: self._declared(done)))
        self._send(errand)

    def _declared(self, done: Future[list[Reply]]) -> None:
        if done.exception():
            return  # the connection is ending
        for reply in done.result():
            if reply.is_refusal:
                log.error(
                    "RabbitMQ refuses a declaration and is used as it is; see `manage.py declare_queues --check`.",
                    action="declare",
                    subject=reply.step.subject,
                    detail=reply.words,
                )
        self._parts_left = len(self._parts)
        if not self._parts:
            self._now_up()
        for part in self._parts:
            self._connection.channel(on_open_callback=self._hand_channel_to(part))

    def _hand_channel_to(self, part: Part) -> Callable[[Any], None]:
        def opened(channel: Any) -> None:
            channel.add_on_close_callback(self._channel_closed)
            part.opened(channel)
            self._parts_left -= 1
            if self._parts_left == 0:
                self._now_up()

        return opened

    def _now_up(self) -> None:
        if self._closing.is_set():
            return
        self._was_up = True
        self._up.set()
        # The first connection goes without saying; after trouble somebody waits for the news.
        (log.info if self._has_been_away else log.debug)("Connected to RabbitMQ.", action="rabbitmq_up")
        self._has_been_away = False

    def _channel_closed(self, channel: Any, reason: Exception) -> None:
        """A channel never ends alone: whatever its end means (a queue deleted, a fault), a new connection mends it."""
        if self._connection is not None and self._connection.is_open:
            self._trouble = _words(reason)
            self._hang_up()

    def _blocked(self, connection: Any, frame: Any) -> None:
        self._is_blocked = True
        log.warning("RabbitMQ takes no messages: memory or disk alarm.", action="rabbitmq_blocked")

    def _unblocked(self, connection: Any, frame: Any) -> None:
        self._is_blocked = False
        log.info("RabbitMQ takes messages again.", action="rabbitmq_unblocked")

    def _hang_up(self) -> None:
        connection = self._connection
        if connection is not None and not (connection.is_closing or connection.is_closed):
            connection.close()

    def _ended(self, connection: Any, reason: Exception) -> None:
        """It could not be opened, or it is closed."""
        self._up.clear()
        if not self._closing.is_set():
            self._trouble = self._trouble or _words(reason)
            self._has_been_away = True
            log.warning("No connection to RabbitMQ; trying again.", action="rabbitmq_lost", detail=self._trouble)
        connection.ioloop.stop()

    def _send(self, errand: Errand) -> None:
        if self._connection is None or not self._connection.is_open:
            errand.give_up(AMQPError("The connection was lost."))
            return
        self._errands.add(errand)
        errand.done.add_done_callback(lambda _: self._errands.discard(errand))
        errand.begin(self._connection)

    def _guarded(self, function: Callable[[], None]) -> None:
        """pika's loop ends at an exception and leaves the socket open; a fault of ours costs the connection instead."""
        try:
            function()
        except Exception:
            log.exception("The connection to RabbitMQ is opened again after a fault.", action="rabbitmq_fault")
            self._hang_up()

    def _forget(self) -> None:
        """What was under way on the lost connection has no answer to wait for."""
        self._is_blocked = False
        for errand in list(self._errands):
            errand.give_up(AMQPError("The connection was lost."))
        for part in self._parts:
            part.lost()


def _parameters(url: str, name: str) -> Any:
    parameters = pika.URLParameters(url)
    parameters.heartbeat = round(HEARTBEAT.total_seconds())
    parameters.blocked_connection_timeout = BLOCKED_FOR.total_seconds()
    parameters.socket_timeout = parameters.stack_timeout = CONNECT_WITHIN.total_seconds()
    # One try at a time: the pauses between them are ours.
    parameters.connection_attempts, parameters.retry_delay = 1, 0
    parameters.client_properties = {"connection_name": name}
    return parameters


def _words(error: BaseException) -> str:
    """What pika means, in a line. Its exceptions hold addresses and the broker's words, never the password."""
    while inner := _within(error):
        error = inner
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _within(error: BaseException) -> BaseException | None:
    """The cause that one of pika's wrappers carries."""
    found = (getattr(error, "exceptions", None) or [None])[-1] or getattr(error, "exception", None)
    found = found or next(iter(error.args), None)
    return found if isinstance(found, BaseException) else None
