"""Providers' settings as the admin has stored them, as this process knows them: a copy, renewed every few seconds.

Nobody waits for the table: while it cannot be asked, the last known values go on.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import Error as DatabaseTrouble
from django.db import close_old_connections

from gateway.provider_models import ProviderSetting
from users.encryption import CannotOpen, opened

log = structlog.stdlib.get_logger(__name__)

#: How often a process looks whether something has changed.
FOLLOW_EVERY = timedelta(seconds=2)
PURPOSE = ProviderSetting.sealed_for_row["value"]


def stored_rows() -> list[tuple[str, str]]:
    """Name and sealed value of everything that is stored: a handful of rows."""
    return list(ProviderSetting.objects.values_list("name", "value"))


@dataclass(frozen=True, slots=True)
class _Copy:
    """The table at one moment; it is replaced, never changed."""

    sealed: dict[str, str]
    texts: dict[str, str]
    #: What was read from the texts so far; None for what cannot be read.
    values: dict[str, Any] = field(default_factory=dict)


class StoredSettings:
    """The copy of one process, shared by its threads."""

    def __init__(
        self,
        rows: Callable[[], Iterable[tuple[str, str]]] = stored_rows,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = rows
        self._clock = clock
        self._lock = threading.Lock()
        self._copy = _Copy({}, {})
        self._read_at: float | None = None
        self._was_read = self._is_away = False

    def follow(self, *, at_once: bool = False) -> None:
        """Look whether something has changed, once in a while."""
        if not at_once and self._is_fresh():
            return
        with self._lock:
            if at_once or not self._is_fresh():
                self._read()
                self._read_at = self._clock()

    def text(self, name: str) -> str:
        """As it was written; empty where nothing is stored."""
        return self._copy.texts.get(name, "")

    def value(self, name: str, read: Callable[[str], Any]) -> Any:
        """The same as `read` understands it; None where nothing is stored, or nothing that can be read."""
        copy = self._copy
        if name not in copy.texts:
            return None
        if name not in copy.values:
            copy.values[name] = _read_or_none(name, copy.texts[name], read)
        return copy.values[name]

    def _is_fresh(self) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < FOLLOW_EVERY.total_seconds()

    def _read(self) -> None:
        try:
            sealed = dict(self._rows())
        except DatabaseTrouble as error:
            if self._was_read and not self._is_away:
                detail = type(error).__name__
                log.warning("Stored settings cannot be read; the last known go on.", action="settings", detail=detail)
            self._is_away = True
            close_old_connections()
            return
        self._was_read, self._is_away = True, False
        if sealed != self._copy.sealed:
            self._copy = _Copy(sealed, _opened(sealed))


def _opened(sealed: dict[str, str]) -> dict[str, str]:
    texts = {}
    for name, value in sealed.items():
        try:
            texts[name] = opened(value, purpose=PURPOSE, owner=name)
        except CannotOpen as error:
            log.error(
                "A stored setting cannot be opened and is left out.", action="settings", setting=name, why=str(error)
            )
    return texts


def _read_or_none(name: str, text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except ValueError:  # stored by another version, or the file it names has gone; its words may repeat a secret
        log.error("A stored setting cannot be read and is left out.", action="settings", setting=name)
        return None


_here = StoredSettings()


def follow(*, at_once: bool = False) -> None:
    """As of `StoredSettings`, in this process."""
    _here.follow(at_once=at_once)


def text(name: str) -> str:
    """As of `StoredSettings`, in this process."""
    return _here.text(name)


def value(name: str, read: Callable[[str], Any]) -> Any:
    """As of `StoredSettings`, in this process."""
    return _here.value(name, read)
