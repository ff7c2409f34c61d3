"""Posts owed callbacks, signed (Standard Webhooks 1.0). Any number of senders may run.

A thread takes turns: it picks an endpoint, claims a few callbacks, posts them one after the other. So that a slow
endpoint does not hold up the others, few threads attend to one endpoint at a time, and slow endpoints together never
get more than half of them.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections
from standardwebhooks import Webhook

from gateway import callback_posts, metrics, outbound_http
from gateway.callback_endpoints import signing_secrets
from gateway.callback_posts import TryResult
from gateway.database_changes import ChangeWatch
from users.encryption import CannotOpen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.models import StatusCallback

log = structlog.stdlib.get_logger(__name__)

#: Callbacks claimed at once.
BATCH = 20
#: After so long a thread gives back what it has not sent. With a post on top much shorter than the lease.
TURN = timedelta(seconds=5)
#: How often idle senders look, and while nobody writes to the database: what waited for its time comes due by itself.
LOOK_EVERY, LOOK_AT_LEAST_EVERY = timedelta(milliseconds=500), timedelta(seconds=1)
#: Threads of a process that attend to one endpoint at a time.
PER_ENDPOINT = 4
#: An endpoint that took longer over a callback, or gave no answer, is a slow one until it is faster.
SLOW = timedelta(seconds=2)
USER_AGENT = "notification-platform/1"

Post = Callable[..., outbound_http.Answer]


class CallbackSender:
    """What the sender threads of a process share."""

    def __init__(
        self,
        *,
        stopping: threading.Event,
        threads: int = 1,
        post: Post = outbound_http.post,
    ) -> None:
        self._stopping = stopping
        self._post = post
        self._most_slow = max(1, threads // 2)
        self._per_endpoint = max(1, min(PER_ENDPOINT, threads // 2))
        self._looking = threading.Lock()
        #: Of idle threads one at a time waits for work, so that together they ask the database no more often than one.
        self._waiting = threading.Lock()
        #: Somebody has found something: there may be more.
        self._found = threading.Event()
        self._counts = threading.Lock()
        self._busy: Counter[UUID] = Counter()
        self._slow: set[UUID] = set()

    def run(self, *, once: bool = False, on_turn: Callable[[int], None] = lambda done: None) -> None:
        """Send until told to stop; with `once` until nothing is due. One thread; any number may call it."""
        while not self._stopping.is_set():
            try:
                done = self.turn()
                on_turn(done or 0)
                if done is None and once:
                    return
                if not done:
                    self._wait(on_turn)
            except (OperationalError, InterfaceError) as error:
                log.warning("The database is away; callbacks wait.", action="claim", detail=type(error).__name__)
                close_old_connections()
                on_turn(0)
                self._stopping.wait(LOOK_EVERY.total_seconds())

    def _wait(self, on_turn: Callable[[int], None]) -> None:
        """Until there may be something to do. Whoever waits goes on waiting: the watch is on its own connection."""
        with self._waiting:
            watch, looked_at = ChangeWatch(), time.monotonic()
            while not self._stopping.is_set() and not self._found.wait(LOOK_EVERY.total_seconds()):
                on_turn(0)
                is_long_ago = time.monotonic() - looked_at >= LOOK_AT_LEAST_EVERY.total_seconds()
                if watch.may_have_changed() or is_long_ago:
                    looked_at = time.monotonic()
                    if callback_posts.due_endpoints():
                        break
            self._found.clear()

    def turn(self) -> int | None:
        """Attend to one endpoint for a little while. Returns how many posts were made; None when nothing is due."""
        began = time.monotonic()
        with self._looking:
            endpoint_id = self._choose()
            claimed = callback_posts.claim(endpoint_id, limit=BATCH) if endpoint_id else []
            if not claimed or endpoint_id is None:
                return None
            with self._counts:
                self._busy[endpoint_id] += 1
            self._found.set()
        try:
            return self._send(claimed, began)
        finally:
            with self._counts:
                self._busy[endpoint_id] -= 1
                self._busy += Counter()  # forgets those at nought

    def _choose(self) -> UUID | None:
        """An endpoint with something due that may have one more thread: fewest threads first."""
        due = callback_posts.due_endpoints()
        with self._counts:
            slow_threads = sum(self._busy[each] for each in self._slow)
            may = [
                each
                for each in due
                if self._busy[each] < self._per_endpoint
                and (each not in self._slow or (not self._busy[each] and slow_threads < self._most_slow))
            ]
            return min(may, key=self._busy.__getitem__, default=None)

    def _send(self, claimed: "list[StatusCallback]", began: float) -> int:
        """One post after the other; what the turn has no time for is given back."""
        sent = 0
        with given_back(claimed) as left:
            while left and not self._stopping.is_set() and time.monotonic() - began < TURN.total_seconds():
                callback = left[0]
                result = self._try(callback)
                disabled = callback_posts.record(callback, result)
                metrics.count_callback(outcome_of(result))
                left.pop(0)
                sent += 1
                self._note_pace(callback.endpoint_id, result)
                if disabled:
                    # Operators are told by `alert_signs.py`.
                    log.error("A callback endpoint was disabled.", action="disable", reason=disabled)
                    break
        return sent

    def _note_pace(self, endpoint_id: UUID, result: TryResult) -> None:
        is_slow = result.duration_ms > SLOW.total_seconds() * 1000 or (not result.status_code and bool(result.error))
        with self._counts:
            (self._slow.add if is_slow else self._slow.discard)(endpoint_id)

    def _try(self, callback: "StatusCallback") -> TryResult:
        """One signed post."""
        began = time.monotonic()
        status_code, error, retry_after = None, "", None
        try:
            headers = signed_headers(callback, now=datetime.now(UTC))
            answer = self._post(callback.endpoint.url, callback.body.encode(), headers)
            status_code, retry_after = answer.status, answer.retry_after
        except outbound_http.CallFailed as failed:
            error = failed.code
        except outbound_http.AddressRefused:
            error = "address_refused"
        except CannotOpen:
            error = "secret_unreadable"
        duration = round((time.monotonic() - began) * 1000)
        log.info(
            "Callback posted." if not error else "Callback not posted.",
            action="post",
            callback=callback.webhook_id,
            event_type=callback.event_type,
            status_code=status_code,
            error=error or None,
            duration_ms=duration,
        )
        return TryResult(status_code=status_code, error=error, retry_after=retry_after, duration_ms=duration)


def outcome_of(result: TryResult) -> str:
    """How /metrics calls it."""
    if result.is_success:
        return "delivered"
    return "unanswered" if result.status_code is None else "refused"


@contextmanager
def given_back(claimed: "list[StatusCallback]") -> "Iterator[list[StatusCallback]]":
    """What is left of these in the end, also after an error, is free again."""
    left = list(claimed)
    try:
        yield left
    finally:
        callback_posts.give_back(left)


def signed_headers(callback: "StatusCallback", *, now: datetime) -> dict[str, str]:
    """What goes with the body; during a rotation both secrets sign. Raises `CannotOpen`."""
    secrets = signing_secrets(callback.endpoint, now)
    signatures = [Webhook(secret).sign(callback.webhook_id, now, callback.body) for secret in secrets]
    headers = {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": callback.webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    story = callback.notification.correlation_id if callback.notification else ""
    return headers | ({"x-correlation-id": story} if story else {})
