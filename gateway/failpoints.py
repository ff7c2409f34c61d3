"""Named places where a test has a process die, hang or fail. For tests only: elsewhere a failpoint does nothing.

`FAILPOINTS="delivery.answered=kill@3, relay.published=sleep:0.5!"` kills this process when it passes the first place
for the third time, and has one process of this VAR_DIR, whichever comes first, sleep at the second place.
Settings refuse the variable wherever ENVIRONMENT is not local.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

#: Every place there is, in the order a notification passes them, and what lies on its two sides.
PLACES = {
    "submission.judged": "the request is read and judged … nothing is stored",
    "submission.inserted": "the row is inserted … its commit",
    "submission.committed": "the row is committed … the answer is written",
    "relay.locked": "rows are locked … they are called queued",
    "relay.queued": "rows are called queued, committed … their hints are published",
    "relay.published": "hints are on their way to the broker … it has confirmed them",
    "consumer.received": "hints are received … their rows are claimed",
    "delivery.claimed": "rows are claimed … their words are ready",
    "delivery.prepared": "words are ready … the provider's channel is open",
    "delivery.connected": "the provider's channel is open … the hand-over is marked",
    "delivery.marked": "the hand-over is marked, committed … the first byte leaves",
    "delivery.answered": "the provider has answered … the line in the journal",
    "delivery.journalled": "the line in the journal … the outcome is recorded",
    "delivery.recorded": "the outcome is recorded, committed … the journal is cleared",
    "consumer.delivered": "the batch is delivered … its hints are acknowledged",
    "sweeper.replay_journals": "a journal is recorded … it is removed",
    "sweeper.release_stalled": "claims of the dead are given back … the commit",
    "sweeper.doubt_stalled": "hand-overs of the dead are doubted … the commit",
    "sweeper.settle_unknown": "doubts are settled … the commit",
    "sweeper.expire_overdue": "what is too late is ended … the commit",
    "sweeper.collect_news": "a provider's news are recorded … it is told so",
    "sweeper.reopen": "rows whose hint is lost are opened again … the commit",
}
FORM = re.compile(r"(?P<place>[\w.]+)=(?P<action>[a-z]+)(?::(?P<seconds>[\d.]+))?(?:@(?P<at>\d+))?(?P<once>!)?")
NEEDED = "PLACE=ACTION[:SECONDS][@PASSING][!] is needed, several separated by commas"


class WrongFailpoints(ImproperlyConfigured):
    """FAILPOINTS names a place or an action there is not; the message says which there are."""


class FailpointHit(Exception):
    """A failpoint was told to raise."""


@dataclass(slots=True)
class _Trap:
    """What happens at one place, and when."""

    action: Callable[[], None]
    #: At which passing of this process.
    at: int
    #: Where it is written that some process has been through it; None when each process may.
    marker: Path | None
    passings: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def passed(self) -> None:
        with self.lock:
            self.passings += 1
            is_due = self.passings == self.at and (self.marker is None or _is_first(self.marker))
        if is_due:
            self.action()


#: None unless a test has set some.
_traps: dict[str, _Trap] | None = None


def failpoint(place: str) -> None:
    """A place of `PLACES` is passed."""
    if _traps is not None and place in _traps:
        _traps[place].passed()


def arm(words: str, *, folder: Path) -> None:
    """Set the traps that `words` describe, and no others; `folder` is shared by the processes of a test.

    Raises `WrongFailpoints`.
    """
    global _traps
    _traps = dict(_read(each.strip(), folder) for each in words.split(",")) if words else None


def _read(words: str, folder: Path) -> tuple[str, _Trap]:
    found = FORM.fullmatch(words)
    if found is None:
        raise WrongFailpoints(f"FAILPOINTS has {words!r}; {NEEDED}.")
    place, action, seconds = found["place"], found["action"], found["seconds"]
    if place not in PLACES:
        raise WrongFailpoints(f"FAILPOINTS names {place!r}; there are {', '.join(PLACES)}.")
    if action not in _ACTIONS or (action == "sleep") != bool(seconds):
        raise WrongFailpoints(f"FAILPOINTS has {words!r}; the actions are kill, exit, raise, stop and sleep:SECONDS.")
    marker = folder / f"failpoint-{place}" if found["once"] else None
    return place, _Trap(lambda: _ACTIONS[action](float(seconds or 0)), at=int(found["at"] or 1), marker=marker)


def _is_first(marker: Path) -> bool:
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _raise(seconds: float) -> None:
    raise FailpointHit("A test wanted this.")


_ACTIONS: dict[str, Callable[[float], None]] = {
    "kill": lambda seconds: signal.pthread_kill(threading.get_ident(), signal.SIGKILL),
    # To this very thread: another one might take a while to hear of it, and this one would go on meanwhile.
    "stop": lambda seconds: signal.pthread_kill(threading.get_ident(), signal.SIGSTOP),
    "exit": lambda seconds: os._exit(1),
    "raise": _raise,
    "sleep": time.sleep,
}
