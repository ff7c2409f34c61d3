"""Many requests to one service at once, from one thread: a window of kept connections, answers in order.

Each request goes out on a connection of its own before the answers of earlier ones are read, so a service that takes
100 ms is asked a hundred times a second and more. No redirect is followed, no proxy asked, nothing repeated that may
have arrived, and after `WITHIN` a call is over, however slowly its answer drips.
"""

import http.client
import io
import json
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

#: For one call: connection, request, answer.
WITHIN = timedelta(seconds=10)
#: So many connections at most.
WIDTH = 16
LARGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """Its body; empty where that is no JSON object."""
        try:
            read = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return read if isinstance(read, dict) else {}


@dataclass(frozen=True, slots=True)
class NoReply:
    """No whole answer; `code` says why in one word."""

    code: str
    #: False: nothing, or not all of the request has left, so the service cannot have acted on it.
    is_handed_over: bool


class CannotConnect(Exception):
    """The service cannot be reached; the text says why in one word."""


class HttpWindow:
    """The connections of one thread to one service. `base` is its address; a path in it begins every path."""

    def __init__(self, base: str, *, width: int = WIDTH, within: timedelta = WITHIN) -> None:
        self._base = urlsplit(base)
        self._within = within.total_seconds()
        self._links = [_Link(self._base.scheme == "https", self._base.netloc, self._within) for _ in range(width)]

    def open(self) -> None:
        """See that one connection is good. Raises `CannotConnect`."""
        self._links[0].ensure(time.monotonic() + self._within)

    def ask(self, calls: Iterable[Call | Any]) -> Iterator[Reply | NoReply | Any]:
        """An answer for each call, in order. What is no `Call` is handed through in its place."""
        free = deque(self._links)
        pending: deque[tuple[_Link | None, Any]] = deque()
        is_down = False
        try:
            for call in calls:
                if not free:
                    yield self._next(pending, free)
                if not isinstance(call, Call):
                    pending.append((None, call))
                elif is_down:
                    pending.append((None, NoReply("not_reached", False)))
                else:
                    # The one used last: a single call after the other stays on one connection.
                    link = free.popleft()
                    trouble = link.send(self._whole(call))
                    pending.append((link, trouble))
                    is_down = trouble is not None
            while pending:
                yield self._next(pending, free)
        finally:
            for waiting, _ in pending:
                if waiting is not None:
                    waiting.close()  # an answer nobody waits for would be taken for the next one

    def close(self) -> None:
        """Let go of all connections. May be called twice."""
        for link in self._links:
            link.close()

    def _whole(self, call: Call) -> Call:
        return replace(call, path=self._base.path.rstrip("/") + call.path)

    def _next(self, pending: "deque[tuple[_Link | None, Any]]", free: "deque[_Link]") -> Any:
        link, settled = pending.popleft()
        if link is None:
            return settled
        free.appendleft(link)
        return settled if settled is not None else link.read()


class _Link:
    """One connection, opened when it is needed."""

    def __init__(self, is_encrypted: bool, netloc: str, within: float) -> None:
        self._within = within
        self._call: http.client.HTTPConnection = (
            http.client.HTTPSConnection(netloc, timeout=within, context=_tls())
            if is_encrypted
            else http.client.HTTPConnection(netloc, timeout=within)
        )
        self._timed: _TimedSocket | None = None

    def ensure(self, ends_at: float) -> bool:
        """Whether a connection was there already; else it is opened. Raises `CannotConnect`."""
        if self._timed is not None and not self._timed.is_over():
            return True
        self.close()
        self._call.timeout = max(0.001, ends_at - time.monotonic())
        try:
            self._call.connect()
        except (OSError, ValueError) as error:
            self.close()
            raise CannotConnect(_code_of(error)) from error
        self._timed = _TimedSocket(self._call.sock)
        self._call.sock = self._timed  # it has what http.client asks of a socket
        return False

    def send(self, call: Call) -> NoReply | None:
        """Nothing when the whole request has left. A connection the service had given up meanwhile is opened anew."""
        ends_at = time.monotonic() + self._within
        for _ in range(2):
            try:
                was_open = self.ensure(ends_at)
                if self._timed is not None:
                    self._timed.ends_at = ends_at
                self._call.request(call.method, call.path, body=call.body or None, headers=dict(call.headers))
            except CannotConnect as error:
                return NoReply(str(error), False)
            except ValueError:  # a header or a path that cannot be written
                self.close()
                return NoReply("bad_request", False)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not was_open:
                    return NoReply(_code_of(error), False)
            else:
                return None
        return NoReply("connection_broken", False)

    def read(self) -> Reply | NoReply:
        """The answer to what was sent."""
        try:
            answer = self._call.getresponse()
            body = answer.read(LARGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            return NoReply(_code_of(error), True)
        if answer.length and len(body) <= LARGEST_ANSWER:
            self.close()
            return NoReply("half_answer", True)
        if not answer.isclosed() or answer.will_close:
            self.close()
        return Reply(answer.status, dict(answer.getheaders()), body)

    def close(self) -> None:
        self._call.close()
        self._timed = None


class _TimedSocket:
    """A socket for http.client whose time counts for the whole call. A socket's own counts from the last byte."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self.ends_at = 0.0

    def sendall(self, data: bytes) -> None:
        self._link.settimeout(self.left())
        self._link.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self))

    def recv_into(self, buffer: Any) -> int:
        self._link.settimeout(self.left())
        return self._link.recv_into(buffer)

    def left(self) -> float:
        """Seconds. Raises TimeoutError when there are none."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def is_over(self) -> bool:
        """Whether the other side has ended it, or says something nobody has asked for."""
        poll = select.poll()
        poll.register(self._link, select.POLLIN)
        if not poll.poll(0):
            return False
        self._link.settimeout(0)
        try:
            self._link.recv(1)
        except ssl.SSLWantReadError:  # only TLS had something to say, such as a ticket for a later session
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        self._link.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, link: _TimedSocket) -> None:
        self._link = link

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._link.recv_into(buffer)


@cache
def _tls() -> ssl.SSLContext:
    """Reading all authorities takes long enough to do it once."""
    return ssl.create_default_context()


def _code_of(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, socket.gaierror):
        return "name_not_found"
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    if isinstance(error, ConnectionRefusedError):
        return "connection_refused"
    if isinstance(error, ConnectionError | http.client.RemoteDisconnected):
        return "connection_broken"
    return "unreachable" if isinstance(error, OSError) else "bad_answer"
