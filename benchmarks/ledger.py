"""What the tables say. Durations are differences of database times: no clock of ours, no polling in between."""

import time
from types import TracebackType
from typing import Any

import psycopg

#: An answer of the tables is asked for so often while something runs; each costs a few index look-ups. Seconds.
LOOK_EVERY = 0.2
#: A provider may already have told more.
SENT = ("sent", "delivered")
#: Something is wrong when nothing at all is sent for so long. Seconds.
STUCK_AFTER = 60


class NotDelivered(SystemExit):
    """Notifications did not end as sent; then there is nothing to measure."""


class Ledger:
    """A connection of our own, past all code of the platform."""

    def __init__(self, database: str) -> None:
        self._connection = psycopg.connect(database, autocommit=True)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, statement: str, *values: Any) -> Any:
        """The first row; a single column by itself."""
        row = self._connection.execute(statement, values).fetchone()
        return row[0] if row and len(row) == 1 else row

    def now(self) -> float:
        """Database time, in seconds."""
        return float(self.ask("SELECT extract(epoch FROM clock_timestamp())"))

    def running(self, role: str) -> int:
        """Processes of a role that have said that they run."""
        return int(
            self.ask("SELECT count(*) FROM consumers_serviceinstance WHERE role = %s AND state = 'running'", role)
        )

    def is_anything_open(self) -> bool:
        """Whether a notification is still on its way. Asks the partial indexes, never the whole table."""
        return bool(
            self.ask(
                "SELECT EXISTS (SELECT 1 FROM gateway_notification WHERE status = 'accepted' AND channel = 'email')"
                "    OR EXISTS (SELECT 1 FROM gateway_notification WHERE status = 'queued' AND channel = 'email')"
                "    OR EXISTS (SELECT 1 FROM gateway_notification WHERE status IN ('claimed', 'sending'))"
            )
        )

    def wait_until_done(self, *, since: float) -> float:
        """Until everything has ended; the database time at which the last one accepted after `since` was sent.

        Raises `NotDelivered` when any of them ended otherwise.
        """
        looked, moved_at = None, time.monotonic()
        while self.is_anything_open():
            time.sleep(LOOK_EVERY)
            if time.monotonic() - moved_at > STUCK_AFTER:
                self._require_progress(looked, since)
                looked, moved_at = self.sent(since=since), time.monotonic()
        return self._last_sent(since)

    def sent(self, *, since: float, priority: int | None = None) -> int:
        """How many that were accepted after `since`, of one priority or of any, are sent."""
        return int(
            self.ask(
                "SELECT count(*) FROM gateway_notification WHERE created_at >= to_timestamp(%s)"
                " AND status IN ('sent', 'delivered') AND priority BETWEEN %s AND %s",
                since,
                0 if priority is None else priority,
                10 if priority is None else priority,
            )
        )

    def sent_after(self, moment: float, *, since: float) -> tuple[int, float]:
        """Of those accepted after `since`: how many were sent after `moment`, and the seconds until the last was."""
        count, last = self.ask(
            "SELECT count(*), extract(epoch FROM max(sent_at)) FROM gateway_notification"
            " WHERE created_at >= to_timestamp(%s) AND sent_at > to_timestamp(%s)",
            since,
            moment,
        )
        if not count:
            raise NotDelivered("All were sent before every consumer ran: more are needed. Use --size full.")
        return int(count), float(last) - moment

    def waits(self, *, since: float, priority: int, while_open: int | None = None) -> list[float]:
        """Milliseconds from accepted to sent of all with this priority, in the order of their acceptance.

        With `while_open` only of those accepted before the last one of that other priority was sent.
        """
        rows = self._connection.execute(
            "SELECT extract(epoch FROM sent_at - created_at) * 1000 FROM gateway_notification"
            " WHERE created_at >= to_timestamp(%(since)s) AND priority = %(priority)s AND sent_at IS NOT NULL"
            "   AND (%(other)s::int IS NULL OR created_at < "
            "        (SELECT max(sent_at) FROM gateway_notification WHERE priority = %(other)s::int))"
            " ORDER BY created_at",
            {"since": since, "priority": priority, "other": while_open},
        )
        return [float(wait) for (wait,) in rows]

    def wait_until_all_sent(self, *, since: float, priority: int) -> None:
        """Until everything of one priority that was accepted after `since` is sent. Raises `NotDelivered`."""
        ends_at = time.monotonic() + STUCK_AFTER
        question = (
            "SELECT count(*) FROM gateway_notification"
            " WHERE created_at >= to_timestamp(%s) AND priority = %s AND sent_at IS NULL"
        )
        while left := self.ask(question, since, priority):
            if time.monotonic() > ends_at:
                raise NotDelivered(f"{left} of priority {priority} were not sent within {STUCK_AFTER} seconds.")
            time.sleep(LOOK_EVERY)

    def execute(self, statement: str, *values: Any) -> None:
        """Something that is no question."""
        self._connection.execute(statement, values)

    def _last_sent(self, since: float) -> float:
        ends = self._connection.execute(
            "SELECT status, reason, count(*), extract(epoch FROM max(sent_at)) FROM gateway_notification"
            " WHERE created_at >= to_timestamp(%s) GROUP BY status, reason",
            (since,),
        ).fetchall()
        others = [f"{count} {status} ({reason})" for status, reason, count, _ in ends if status not in SENT]
        if others or not ends:
            raise NotDelivered(f"Not everything was sent: {', '.join(others) or 'nothing'}. The figure means nothing.")
        return max(float(last) for *_, last in ends)

    def _require_progress(self, before: int | None, since: float) -> None:
        if before is not None and self.sent(since=since) == before:
            raise NotDelivered(f"Nothing was sent for {STUCK_AFTER} seconds; {before} were sent before.")
