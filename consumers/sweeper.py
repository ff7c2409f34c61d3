"""Chores, each at its own pace: leases that are over, doubts, expiry, providers' news, journals of the dead."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from consumers import news_away, service_registry
from consumers.delivery_rules import DeliveryRules
from consumers.journal_replay import replay_journals
from gateway import attachments, outbox, provider_states, retention, tracking
from gateway.channel_contract import Channel, NewsAway, NewsSource, UnknownProvider
from gateway.counter_cache import forget_counts
from gateway.database_changes import ChangeWatch
from gateway.failpoints import failpoint
from gateway.time_scale import scaled
from gateway.waiting import redecide_waiting
from templates_app import publishing, usage
from users import devices

log = structlog.get_logger(__name__)

#: Rows a chore takes on at once.
LIMIT = 500
#: How often the sweeper looks whether a chore is due.
TICK = timedelta(milliseconds=200)
#: So long a chore that found nothing rests while nobody writes to the database: leases run out without a write.
RESTS_AT_MOST = scaled(timedelta(seconds=5))


@dataclass(slots=True)
class Chore:
    """One thing to look after; `do` returns how much there was."""

    name: str
    every: timedelta
    do: Callable[[], int]
    #: It may wait for somebody else's server: it has a thread of its own.
    is_slow: bool = False
    #: It looks at nothing but the database.
    may_rest: bool = False
    due_at: float = field(default=0.0)
    #: When it last looked, and at which edition of the database it found nothing.
    looked_at: float = field(default=0.0)
    found_nothing_in: int | None = field(default=None)


class Sweeper:
    """Runs every chore in turn until told to stop. Any number of sweepers may run: rows are locked and skipped."""

    def __init__(self, chores: Sequence[Chore], *, stopping: threading.Event) -> None:
        self._chores = chores
        self._stopping = stopping
        self._threads: list[threading.Thread] = []
        self._changes = ChangeWatch()
        #: Another number whenever somebody may have written.
        self._edition = 0

    def run(self, *, once: bool = False, on_turn: Callable[[int], None] = lambda done: None) -> None:
        """Turn until told to stop; with `once` do every chore once."""
        while not self._stopping.is_set():
            due = self._chores if once else self._awake([c for c in self._chores if c.due_at <= time.monotonic()])
            on_turn(sum(self._begin(chore) if chore.is_slow else self._attend(chore) for chore in due))
            if once:
                for thread in self._threads:
                    thread.join()
                return
            self._stopping.wait(TICK.total_seconds())

    def _awake(self, due: Sequence[Chore]) -> Sequence[Chore]:
        """Without those that would find nothing again: nobody has written since they looked."""
        if any(chore.may_rest for chore in due):
            try:
                self._edition += self._changes.may_have_changed()
            except (OperationalError, InterfaceError):  # the chores say so
                self._edition += 1
        rested = time.monotonic() - RESTS_AT_MOST.total_seconds()
        return [chore for chore in due if chore.found_nothing_in != self._edition or chore.looked_at <= rested]

    def _begin(self, chore: Chore) -> int:
        """Nobody waits for it, nor is it begun again, until it is done."""
        chore.due_at = math.inf
        thread = threading.Thread(target=self._attend_apart, args=(chore,), name=chore.name, daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()
        return 0

    def _attend_apart(self, chore: Chore) -> None:
        try:
            self._attend(chore)
        finally:
            connections.close_all()

    def _attend(self, chore: Chore) -> int:
        done = 0
        chore.looked_at, chore.found_nothing_in = time.monotonic(), None
        edition = self._edition
        try:
            done = chore.do()
            news_away.note_reached(chore.name)
            if chore.may_rest and not done:
                chore.found_nothing_in = edition
        except (OperationalError, InterfaceError) as error:
            log.warning("The database is away; a chore waits.", action=chore.name, detail=type(error).__name__)
            close_old_connections()
        except NewsAway as error:
            log.warning("News cannot be fetched; it is tried again.", action=chore.name, detail=str(error))
            news_away.note(chore.name, str(error))
        except Exception:
            # One chore with a fault must not keep the others from being done.
            log.exception("A chore failed; it is tried again.", action=chore.name)
        if done:
            log.info("Swept.", action=chore.name, rows=done)
        # A full round means there is more: no pause then.
        pause = timedelta(0) if done >= LIMIT else chore.every
        chore.due_at = time.monotonic() + pause.total_seconds()
        return done


def chores(*, channels: Sequence[Channel], journal_folder: Path, rules: DeliveryRules) -> list[Chore]:
    """Everything that needs looking after."""
    second = scaled(timedelta(seconds=1))
    return [
        Chore("replay_journals", 2 * second, lambda: replay_journals(journal_folder, rules=rules)),
        Chore("release_stalled", second, lambda: outbox.release_stalled(limit=LIMIT), may_rest=True),
        Chore("doubt_stalled", second, lambda: tracking.doubt_stalled(limit=LIMIT), may_rest=True),
        Chore(
            "settle_unknown",
            second,
            lambda: tracking.settle_unknown(limit=LIMIT, max_attempts=rules.max_attempts),
            may_rest=True,
        ),
        Chore("expire_overdue", second, lambda: outbox.expire_overdue(limit=LIMIT), may_rest=True),
        *(Chore(f"collect_news_{channel.name}", second, NewsCollection(channel).collect) for channel in channels),
        *(
            Chore(f"collect_news_{name}", scaled(place.every), partial(_collect, place.source), is_slow=True)
            for channel in channels
            for name, place in channel.news_places().items()
        ),
        Chore("redecide_waiting", second, lambda: redecide_waiting(limit=LIMIT), may_rest=True),
        Chore("erase_sensitive", 30 * second, lambda: retention.erase_sensitive(limit=LIMIT)),
        Chore("delete_content", 600 * second, lambda: retention.delete_content(limit=LIMIT)),
        Chore("delete_records", 600 * second, lambda: retention.delete_records(limit=LIMIT)),
        Chore("forget_uploads", 600 * second, lambda: attachments.forget_uploads(limit=LIMIT)),
        Chore("retire_unused_devices", 3600 * second, lambda: devices.retire_unused(limit=LIMIT)),
        Chore("forget_services", 60 * second, service_registry.forget_dead),
        Chore("forget_transitions", 3600 * second, provider_states.forget_transitions),
        Chore("forget_counts", 60 * second, forget_counts),
        Chore("publish_due", 5 * second, lambda: publishing.publish_due(limit=LIMIT)),
        Chore("forget_old_uses", 3600 * second, lambda: usage.forget_old_uses(limit=LIMIT)),
    ]


class NewsCollection:
    """Collects the news of those providers of a channel that keep it until somebody asks. Operators may change them."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        #: By name; None for a provider that tells by itself. One that was switched off may still have news.
        self._sources: dict[str, NewsSource | None] = {}

    def collect(self) -> int:
        """Record what there is to tell; returns how much that was."""
        for name in self._channel.provider_names():
            if name not in self._sources:
                self._sources[name] = self._source(name)
        return sum(_collect(source) for source in self._sources.values() if source)

    def _source(self, name: str) -> NewsSource | None:
        try:
            provider = self._channel.load_provider(name)
        except UnknownProvider:  # stored by a newer version
            return None
        return cast(NewsSource, provider) if hasattr(provider, "collect_news") else None


def _collect(source: NewsSource) -> int:
    news = source.collect_news(LIMIT)
    if news:
        tracking.record_news(news)
        failpoint("sweeper.collect_news")
        source.confirm_news(news)
    return len(news)


def recover_at_boot(*, journal_folder: Path, rules: DeliveryRules) -> int:
    """Nothing else is alive: replay journals, then give back every claim and doubt every hand-over at once."""
    replay_journals(journal_folder, rules=rules)
    recovered = 0
    for chore in (outbox.release_stalled, tracking.doubt_stalled):
        while done := chore(limit=LIMIT, whoever_holds=True):
            recovered += done
    return recovered
