"""A client that submits over HTTP, writes down what it is told, and repeats itself until it is told something."""

import http.client
import json
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.chaos.checker import HOLD, RESEND
from tests.chaos.scene import ClientLog, request_body

PRIORITIES = ("low", "normal", "high", "critical")
#: Of all requests.
HELD, SCHEDULED = 0.2, 0.05
#: Seconds: for an answer, between two tries, and the latest moment for which something is scheduled.
ANSWER_WITHIN, AGAIN_AFTER, AHEAD = 10, 0.2, 10


class Refused(Exception):
    """An answer that no repeating will change: the run has shown a fault."""


class Clients:
    """Several at a time; together they submit `count` requests spread over `seconds`."""

    def __init__(
        self, *, port: int, key: str, people: list[str], count: int, seconds: float, seed: int, log: Path, threads: int
    ) -> None:
        self._port, self._key, self._people, self._seed = port, key, people, seed
        self._log = ClientLog(log)
        self._pause = seconds / count
        self._lock = threading.Lock()
        self._numbers = iter(range(count))
        self.stopping = threading.Event()
        self.acknowledged = self.tries = 0
        #: Why it ended early.
        self.refusal = ""
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_WITHIN)
        try:
            while not self.stopping.is_set() and (number := self._next()) is not None:
                self.stopping.wait(max(0.0, self._began + number * self._pause - time.monotonic()))
                self._submit(connection, number)
        except Refused as refused:
            self.refusal = str(refused)
            self.stopping.set()

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _body(self, number: int) -> dict:
        """The same for the same seed, but for the moment it is scheduled for."""
        chance = random.Random(f"{self._seed}-{number}")  # noqa: S311  the run can be repeated
        rule = HOLD if chance.random() < HELD else RESEND
        more = {"priority": chance.choice(PRIORITIES)}
        if chance.random() < SCHEDULED:
            more["send_at"] = (datetime.now(UTC) + timedelta(seconds=chance.uniform(1, AHEAD))).isoformat()
        return request_body(f"request-{number}", person=chance.choice(self._people), rule=rule, **more)

    def _submit(self, connection: http.client.HTTPConnection, number: int) -> None:
        body = self._body(number)
        self._log.asks(body["request_id"])
        while not self.stopping.is_set():
            if (answer := self._ask(connection, body)) is not None:
                self._log.is_told(body["request_id"], answer["id"], answer["http_status"])
                with self._lock:
                    self.acknowledged += 1
                return
            self.stopping.wait(AGAIN_AFTER)

    def _ask(self, connection: http.client.HTTPConnection, body: dict) -> dict | None:
        """The answer, or None when the request is to be repeated."""
        with self._lock:
            self.tries += 1
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/api/v1/notifications/", json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        if answer.status in (200, 202):
            return json.loads(content) | {"http_status": answer.status}
        if answer.status in (429, 502, 503):
            return None
        raise Refused(f"{answer.status} for {body['request_id']}: {content.decode(errors='replace')}")
