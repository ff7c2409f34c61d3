"""Locks between the processes of this host. The system lets go of them when a process dies, however it dies."""

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

PLATFORM_LOCK = "platform.lock"
ENGINE_LOCK = "engine.lock"
#: How often a consumer asks again while boot recovery is under way.
ASK_EVERY = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the platform lock, as far as it has said so."""

    pid: int
    address: str


class AlreadyRunning(Exception):
    """Another platform runs on the same folder; `holder` is None when it has only just begun."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__("The platform is already running.")
        self.holder = holder


@contextlib.contextmanager
def only_platform(folder: Path, *, address: str) -> Iterator[Holder | None]:
    """Be the only platform on this folder. Yields the one before if it left without a word. Raises `AlreadyRunning`."""
    with _opened(folder / PLATFORM_LOCK) as descriptor:
        before = _read_holder(descriptor)
        if not _lock(descriptor, fcntl.LOCK_EX):
            raise AlreadyRunning(before)
        _write(descriptor, json.dumps({"pid": os.getpid(), "address": address}))
        # The supervisor that takes this process's place keeps the lock; other children are given no open files.
        os.set_inheritable(descriptor, True)
        yield before
        _write(descriptor, "")


def leave_platform(folder: Path) -> None:
    """An orderly end, said by the holder of the platform lock: the next one need not be patient."""
    with _opened(folder / PLATFORM_LOCK) as descriptor:
        _write(descriptor, "")


@contextlib.contextmanager
def engine_shared(folder: Path, *, stopping: threading.Event) -> Iterator[None]:
    """Be one of the consumers that are alive. Waits while somebody recovers, or until `stopping` is set."""
    with _opened(folder / ENGINE_LOCK) as descriptor:
        while not _lock(descriptor, fcntl.LOCK_SH) and not stopping.wait(ASK_EVERY.total_seconds()):
            pass
        yield


@contextlib.contextmanager
def engine_alone(folder: Path) -> Iterator[bool]:
    """Whether no consumer of this folder is alive; while the block runs none begins."""
    with _opened(folder / ENGINE_LOCK) as descriptor:
        yield _lock(descriptor, fcntl.LOCK_EX)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    # The file stays when we leave: removing it would let two processes lock two files of one name.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_holder(descriptor: int) -> Holder | None:
    try:
        words = json.loads(os.pread(descriptor, 1000, 0))
        return Holder(int(words["pid"]), str(words["address"]))
    except (ValueError, KeyError, TypeError):
        return None


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
