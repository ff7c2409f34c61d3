"""One appended line per provider answer, so that a crash before the database's commit forgets nothing.

A line is written without fsync: it survives `kill -9`, not a power cut. The file is locked while its process lives; a
lock that can be taken says that the process is dead and its lines are ours to replay.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import orjson

from gateway.channel_contract import Outcome, SendResult

SUFFIX = ".journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """A provider's answer to one attempt, and whose claim it was made under."""

    notification_id: UUID
    claim_token: UUID
    attempt_id: UUID
    provider: str
    result: SendResult


class OutcomeJournal:
    """The journal of one sender thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{os.getpid()}-{uuid.uuid4().hex}{SUFFIX}"
        draft = self.path.with_suffix(".draft")
        self._descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        # Under its own name only now that it is locked: nobody may take it for the journal of a dead process.
        draft.rename(self.path)
        self._is_closed = False

    def append(self, line: JournalLine) -> None:
        """Write one line with one system call."""
        os.write(self._descriptor, _to_bytes(line))

    def clear(self) -> None:
        """Everything written so far is in the database."""
        os.ftruncate(self._descriptor, 0)

    def close(self, *, keep: bool = False) -> None:
        """Leave; the file goes too unless `keep` says that it holds what the database does not. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        if not keep:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


@dataclass(slots=True)
class Orphan:
    """The journal of a dead process, locked by us for replay."""

    path: Path
    lines: list[JournalLine]
    _descriptor: int

    def discard(self) -> None:
        """Its lines are in the database."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def leave(self) -> None:
        """Not now: somebody may try again later."""
        os.close(self._descriptor)


def orphans(folder: Path) -> Iterator[Orphan]:
    """The journals of processes of this host that are dead, each locked so that nobody else replays it meanwhile."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        # It may have been replayed and removed between opening and locking.
        if path.exists():
            yield Orphan(path, list(_lines(path)), descriptor)
        else:
            os.close(descriptor)


def _lines(path: Path) -> Iterator[JournalLine]:
    for raw in path.read_bytes().splitlines():
        try:
            yield _from_bytes(raw)
        except (ValueError, KeyError, TypeError):
            # Cut off by the crash itself: this answer is unknown, the sweeper says so.
            continue


def _to_bytes(line: JournalLine) -> bytes:
    result = line.result
    record = {
        "notification": line.notification_id,
        "token": line.claim_token,
        "attempt": line.attempt_id,
        "provider": line.provider,
        "outcome": result.outcome,
        "provider_message_id": result.provider_message_id,
        "error_code": result.error_code,
        "provider_code": result.provider_code,
        "detail": result.detail,
        "retry_after": result.retry_after.total_seconds() if result.retry_after else None,
        "reason": result.reason,
    }
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _from_bytes(raw: bytes) -> JournalLine:
    record = orjson.loads(raw)
    wait = record["retry_after"]
    return JournalLine(
        notification_id=UUID(record["notification"]),
        claim_token=UUID(record["token"]),
        attempt_id=UUID(record["attempt"]),
        provider=record["provider"],
        result=SendResult(
            outcome=Outcome(record["outcome"]),
            provider_message_id=record["provider_message_id"],
            error_code=record["error_code"],
            provider_code=record["provider_code"],
            detail=record["detail"],
            retry_after=None if wait is None else timedelta(seconds=wait),
            reason=record["reason"],
        ),
    )
