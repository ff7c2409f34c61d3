"""`python -m benchmarks.load_generator PORT PATH …`: many POSTs of small bodies; prints one line of JSON.

Two ways. Closed: so many connections, each asks again as soon as it is answered; says how much a server can do.
Open: requests are due at a fixed rate, whatever the server does, and each is timed from the moment it was due, so that
a server that stalls is charged for everything that had to wait (no coordinated omission).
"""

import argparse
import asyncio
import json
import statistics
import time
import uuid
from collections.abc import Iterator

from benchmarks import mail_of_usual_size as mail

#: As many requests of an open run may be on their way at once; further ones wait, and that wait is timed too.
MOST_CONNECTIONS = 64
PEOPLE = 1_000


class Connection:
    """One kept HTTP/1.1 connection."""

    def __init__(self, port: int, head: bytes) -> None:
        self._port, self._head = port, head
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, body: bytes) -> int:
        """The status of the answer, which is read to its end."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (self._head, len(body), body))
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await self._reader.readexactly(length)
        return int(head[9:12])

    def close(self) -> None:
        """Leave."""
        if self._writer is not None:
            self._writer.close()


def bodies(priority: str) -> Iterator[bytes]:
    """One notification after the other, each with a request id of its own."""
    series, number = uuid.uuid4().hex[:8], 0
    while True:
        number += 1
        yield json.dumps(
            {
                "notification_type": "email",
                "user_id": mail.person(number % PEOPLE),
                "template_code": "order_on_its_way",
                "variables": mail.variables(number),
                "request_id": f"{series}-{number}",
                "priority": priority,
            }
        ).encode()


async def closed(make: "Maker", *, connections: int, seconds: float) -> dict[str, float]:
    """As fast as the answers come."""
    waits: list[float] = []
    ends_at = time.perf_counter() + seconds

    async def one() -> None:
        connection = make.connection()
        while (began := time.perf_counter()) < ends_at:
            make.check(await connection.post(next(make.bodies)))
            waits.append((time.perf_counter() - began) * 1000)
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return {"per_second": len(waits) / (time.perf_counter() - began)} | summary(waits)


async def open_loop(make: "Maker", *, rate: float, seconds: float) -> dict[str, float]:
    """At a fixed rate; every wait counts from the moment the request was due."""
    waits: list[float] = []
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(MOST_CONNECTIONS):
        free.put_nowait(make.connection())

    async def one(due: float, body: bytes) -> None:
        connection = await free.get()
        make.check(await connection.post(body))
        waits.append((time.perf_counter() - due) * 1000)
        free.put_nowait(connection)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(round(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(due, next(make.bodies)))
    return {"per_second": len(waits) / (time.perf_counter() - began)} | summary(waits)


class Maker:
    """Connections and bodies of one run; anything but the expected status ends it."""

    def __init__(self, options: argparse.Namespace) -> None:
        head = f"POST {options.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        if options.key:
            head += f"Authorization: Bearer {options.key}\r\n"
        self._head, self._port, self._expected = head.encode(), options.port, options.expect
        self.bodies = bodies(options.priority)

    def connection(self) -> Connection:
        """A new one; it opens with its first request."""
        return Connection(self._port, self._head)

    def check(self, status: int) -> None:
        """Only what was accepted counts."""
        if status != self._expected:
            raise SystemExit(f"Answered with {status} and not {self._expected}.")


def summary(waits: list[float]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    parts = statistics.quantiles(waits, n=100)
    return {"count": len(waits), "p50": parts[49], "p95": parts[94], "p99": parts[98], "worst": max(waits)}


async def warm_up(make: Maker) -> None:
    """The first requests of each worker load what it keeps; they do not count."""
    await closed(make, connections=8, seconds=1.5)


def main() -> None:
    """One run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, help="requests a second, open loop")
    parser.add_argument("--connections", type=int, default=8, help="closed loop")
    parser.add_argument("--key", default="")
    parser.add_argument("--priority", default="normal")
    parser.add_argument("--expect", type=int, default=202)
    parser.add_argument("--warm-up", action="store_true")
    options = parser.parse_args()
    make = Maker(options)

    async def measured() -> dict[str, float]:
        if options.warm_up:
            await warm_up(make)
        if options.rate:
            return await open_loop(make, rate=options.rate, seconds=options.seconds)
        return await closed(make, connections=options.connections, seconds=options.seconds)

    print(json.dumps(asyncio.run(measured())))


if __name__ == "__main__":
    main()
