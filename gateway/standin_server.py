"""A small HTTP server that plays a provider: for tests, benchmarks and development, on loopback only.

It answers as its subclass says, and can also delay, hang, cut the connection, or send half an answer. What it took
responsibility for is kept in `accepted`, at the moment of accepting: before the answer.
"""

import asyncio
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

LOOPBACK = "127.0.0.1"
#: Everything that can happen to an answer on its way. `delay-300` waits so many milliseconds and then answers as usual.
ACTS = ("hang", "reset", "half", "drip", "lost", "delay")
_ACT = re.compile(r"hang|reset|half|drip|lost|delay-[0-9]{1,6}")
#: In a rule: whoever has no rule of its own and asks for nothing.
ALL = "*"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Given:
    """One answer. `act` says what happens to it: nothing, or one of `ACTS`."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    act: str = ""

    def encoded(self) -> bytes:
        """As it goes over the wire."""
        body = (
            b"" if self.body is None else self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        )
        kind = "text/html; charset=UTF-8" if isinstance(self.body, bytes) else "application/json; charset=UTF-8"
        lines = [f"HTTP/1.1 {self.status} {_phrase(self.status)}", f"Content-Length: {len(body)}"]
        lines += [f"Content-Type: {kind}"] if body else []
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


class StandIn:
    """Runs on a thread of its own from `start()` to `stop()`, or as a context manager; `port=0` takes a free one."""

    #: How a developer calls it.
    name = ""
    #: Makes it speak HTTPS.
    tls: ssl.SSLContext | None = None

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self.connection_count = 0
        #: What it took responsibility for, as it came.
        self.accepted: list[Any] = []
        #: Recipient → name of the answer; before what a recipient asks for by itself. `*` is for all others.
        self.rules: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._listener: asyncio.Server | None = None
        self._links: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"

    def answer(self, asked: Asked) -> Given:
        """What the real service would say."""
        raise NotImplementedError

    def answer_names(self) -> list[str]:
        """What a recipient or a rule can ask for, besides `ACTS`."""
        return []

    def knows(self, answer: str) -> bool:
        """Whether it can be asked for."""
        return answer in self.answer_names() or bool(_ACT.fullmatch(answer))

    def wanted(self, recipient: str, asked_for: str = "") -> str:
        """The name of the answer for a recipient; empty for the usual one."""
        return self.rules.get(recipient) or asked_for or self.rules.get(ALL, "")

    def control(self, asked: Asked) -> Given:
        """What a developer asks the stand-in itself: rules to set, and what it has accepted."""
        match asked.method, asked.path:
            case "GET", "/control/accepted":
                return Given(200, self.accepted)
            case "DELETE", "/control/accepted":
                self.accepted.clear()
                return Given(200, self.accepted)
            case "GET", "/control/rules":
                return Given(200, {"rules": self.rules, "answers": self.possible()})
            case "POST", "/control/rules":
                return self._rule(asked.json())
            case "DELETE", "/control/rules":
                self.rules.clear()
                return Given(200, self.rules)
        return Given(404, {"paths": ["GET, DELETE /control/accepted", "GET, POST, DELETE /control/rules"]})

    def _rule(self, wanted: Mapping[str, Any]) -> Given:
        recipient, answer = str(wanted["recipient"]), str(wanted["answer"])
        if not answer:
            self.rules.pop(recipient, None)
        elif self.knows(answer):
            self.rules[recipient] = answer
        else:
            return Given(400, {"error": f"{answer!r} is no answer of {self.name}.", "answers": self.possible()})
        return Given(200, self.rules)

    def possible(self) -> list[str]:
        """All that can be asked for, as it is told to who asks for something else."""
        return [*self.answer_names(), *(f"{act}-300" if act == "delay" else act for act in ACTS)]

    def start(self) -> Self:
        self._loop.run_until_complete(self._listen())
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"stand-in-{self.name}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Nobody is answered any more; open connections are cut."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._cut)
            self._thread.join()
            self._thread = None
        if not self._loop.is_closed():
            self._loop.close()

    def cut_connections(self) -> None:
        """As a service that gives up connections it has kept for long enough."""
        done = threading.Event()

        def cut() -> None:
            for link in list(self._links):
                link.close()
            self._loop.call_soon(self._loop.call_soon, done.set)

        self._loop.call_soon_threadsafe(cut)
        done.wait(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    async def _listen(self) -> None:
        self._listener = await self._loop.create_server(
            lambda: _Link(self), LOOPBACK, self.port, backlog=512, ssl=self.tls
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    def _cut(self, turns: int = 5) -> None:
        """A connection accepted just now is known a few turns of the loop later, and closed in the next."""
        if self._listener is not None:
            self._listener.close()
        for link in list(self._links):
            link.abort()
        if turns:
            self._loop.call_soon(self._cut, turns - 1)
        else:
            self._loop.call_soon(self._loop.call_soon, self._loop.stop)


class _Link(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, server: StandIn) -> None:
        self._server = server
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # it is one
        self._server.connection_count += 1
        self._server._links.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._links.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (asked := self._whole()) is not None:
            ask = self._server.control if asked.path.startswith("/control/") else self._server.answer
            self._give(_safely(ask, asked))

    def _whole(self) -> Asked | None:
        """The next request, when all of it has come."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = end + 4 + int(headers.get("content-length", 0))
        if len(self._received) < size:
            return None
        body = bytes(self._received[end + 4 : size])
        del self._received[:size]
        method, path, _ = first.split(" ", 2)
        return Asked(method, path, headers, body)

    def _give(self, given: Given) -> None:
        whole = given.encoded()
        act, _, number = given.act.partition("-")
        if act in ("", "delay"):
            asyncio.get_running_loop().call_later(int(number or 0) / 1000, self._write, whole) if number else (
                self._transport.write(whole)
            )
        elif act == "half":
            self._transport.write(whole[: len(whole) - 5])
            self._transport.close()
        elif act == "drip":
            self._drip(whole)
        elif act in ("reset", "lost"):
            link = self._transport.get_extra_info("socket")
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        # hang: nothing, for ever

    def _write(self, part: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(part)

    def _drip(self, rest: bytes) -> None:
        if rest and not self._transport.is_closing():
            self._transport.write(rest[:1])
            asyncio.get_running_loop().call_later(0.05, self._drip, rest[1:])


def _safely(ask: Callable[[Asked], Given], asked: Asked) -> Given:
    try:
        return ask(asked)
    except (ValueError, KeyError, TypeError) as error:
        return Given(400, {"error": f"{type(error).__name__}: {error}"})


def act_of(answer: str) -> str:
    """The act an answer's name asks for; empty for none."""
    return answer if _ACT.fullmatch(answer) else ""
