"""The real RabbitMQ for tests: fixtures, a tap into its queues, and a wire that can be cut.

Every test declares exchange and queues under a prefix of its own and takes them away afterwards.
"""

import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from django.db import connection
from pika import spec

from consumers.brokers.rabbitmq import declaration
from consumers.brokers.rabbitmq.link import Link
from consumers.brokers.rabbitmq.topology import Topology
from tests.ports import own_port

LOOPBACK = "amqp://guest:guest@127.0.0.1:5672/"
#: A busy machine may be slow; nothing here waits for a time, only for things to happen. Seconds.
PATIENCE = 60


def until(condition, what: str):
    """What `condition` returns as soon as that is true."""
    ends_at = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < ends_at, f"{what} did not happen"
        time.sleep(0.02)
    return found


def somebody_waits() -> bool:
    """Whether PostgreSQL lets somebody wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


@pytest.fixture(scope="session")
def rabbitmq_url():
    """The server's address. An absent server is said loudly; with CI=true it is a failure."""
    url = os.environ.get("TEST_RABBITMQ_URL") or LOOPBACK
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port or 5672), timeout=3).close()
    except OSError as error:
        words = f"*** RabbitMQ does not answer at {parts.hostname}:{parts.port}, this test DID NOT RUN: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return url


def pytest_terminal_summary(terminalreporter):
    """A hook, through conftest.py: what was left out for want of a server is said in every run."""
    reasons = {report.longrepr[2] for report in terminalreporter.stats.get("skipped", ())}
    for words in sorted(each for each in reasons if "***" in each):
        terminalreporter.write_line(words[words.index("***") :], red=True)


@pytest.fixture
def topology(rabbitmq_url):
    """Names of this test alone."""
    names = Topology(prefix=f"test-{uuid.uuid4().hex[:8]}.")
    yield names
    declaration.remove(rabbitmq_url, names)


@pytest.fixture
def rabbitmq_settings(settings, rabbitmq_url, topology):
    """The installation uses RabbitMQ, under the names of this test."""
    settings.RABBITMQ_URL, settings.RABBITMQ_PREFIX = rabbitmq_url, topology.prefix
    return settings


@pytest.fixture
def on_postgresql():
    """RabbitMQ needs PostgreSQL, and so do tests of both together."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; runs in that half of the tests")


@pytest.fixture
def tap(rabbitmq_url, topology):
    opened = Tap(rabbitmq_url, topology)
    yield opened
    opened.close()


class Tap:
    """Past all our code: any bytes in, everything out."""

    def __init__(self, url, topology):
        self._topology = topology
        self._channel = None
        self._link = Link(url, declarations=topology.declarations(), parts=[self], name="tap")
        assert self._link.wait_until_up(declaration.WITHIN)

    def opened(self, channel):
        self._channel = channel

    def lost(self):
        self._channel = None

    def put(self, body: bytes, *, queue: str, properties=None) -> None:
        """Into a queue, past the exchange."""
        self._link.call(lambda: self._channel.basic_publish("", queue, body, properties))

    def take_all(self, queue: str) -> list[bytes]:
        """The bodies of all messages that are ready; they are gone then."""
        return [body for _, body in self.take_whole(queue)]

    def take_whole(self, queue: str) -> list[tuple]:
        """The same with their properties."""
        messages = []
        while (message := self._take_one(queue)) is not None:
            messages.append(message)
        return messages

    def depth(self, queue: str) -> int:
        """Ready messages."""
        return self._look(queue).message_count

    def consumers(self, queue: str) -> int:
        return self._look(queue).consumer_count

    def ask(self, method: str, **arguments) -> None:
        """Any other method of a channel: queue_delete, queue_unbind …"""
        from consumers.brokers.rabbitmq.topology import Step

        (reply,) = self._link.ask([Step(method, method, arguments)])
        assert not reply.is_refusal, reply

    def close(self) -> None:
        self._link.close()

    def _look(self, queue):
        (reply,) = self._link.ask([self._topology.depth_of(queue)])
        return reply.method

    def _take_one(self, queue):
        answered, found = threading.Event(), []

        def got(channel, method, properties, body):
            found.append((properties, body))
            answered.set()

        def ask():
            self._channel.add_callback(lambda _: answered.set(), [spec.Basic.GetEmpty], one_shot=True)
            self._channel.basic_get(queue, got, auto_ack=True)

        self._link.call(ask)
        assert answered.wait(PATIENCE)
        return found[0] if found else None


@pytest.fixture
def wire(rabbitmq_url):
    opened = Wire(rabbitmq_url)
    yield opened
    opened.cut()


class Wire:
    """A TCP relay in front of the server: it can be cut, mended, and speak for the server."""

    def __init__(self, url: str, *, is_mended: bool = True) -> None:
        parts = urlsplit(url)
        self._server = parts.hostname, parts.port or 5672
        self._listener = None
        self._sockets: list[socket.socket] = []
        self._to_clients: list[socket.socket] = []
        self._is_deaf = False
        self.port = own_port()
        self.url = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{self.port}").geturl()
        if is_mended:
            self.mend()

    def mend(self) -> None:
        """From now on connections come through."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Every connection breaks, and no new one comes through."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.interrupt()

    def interrupt(self) -> None:
        """Every connection breaks; new ones come through."""
        sockets, self._sockets, self._to_clients = self._sockets, [], []
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def say(self, frame: bytes) -> None:
        """A frame as if from the server, while that is silent."""
        for each in self._to_clients:
            each.sendall(frame)

    def deafen(self) -> None:
        """What clients say from now on reaches nobody; they notice nothing."""
        self._is_deaf = True

    def hear_again(self) -> None:
        """New connections are understood; the old ones have lost the thread."""
        self.interrupt()
        self._is_deaf = False

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection(self._server)
                except OSError:  # it is away itself
                    client.close()
                    continue
                self._sockets += [client, server]
                self._to_clients.append(client)
                threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client), daemon=True).start()

    def _pump(self, source, target):
        try:
            while data := source.recv(65536):
                if not self._is_deaf:
                    target.sendall(data)
        except OSError:
            pass
        finally:
            # Only the reading side closes its end: the other pump may still use the other one.
            with suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)
            source.close()
