"""Use cases before the hand-over: find due, queue, claim, release, settle, expire, cancel.

Only this file and `tracking.py` write a status. Each change is made under a lock on the rows it names and only where
the row is still in a status the table allows and, where asked, under the holder's claim token.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least, Now

from gateway import callbacks, metrics, status_cache, statuses
from gateway.claimed import COLUMNS, Claimed
from gateway.database_clock import now_sql
from gateway.failpoints import failpoint
from gateway.many_rows import insert_all, insert_values, update_each
from gateway.metrics import Changed
from gateway.models import Notification, NotificationEvent
from gateway.querysets import NotificationQuerySet
from gateway.statuses import Change, Status
from gateway.time_scale import scaled

#: How long a consumer may prepare what it claimed before it counts as dead.
CLAIM_LEASE = scaled(timedelta(seconds=30))
#: So many consumers may die over a notification before it is set aside.
POISON_AFTER = 5
#: From so many crashes on it is claimed alone, so that its neighbours are not blamed.
SUSPECT_AFTER = 2


#: After how many publishes a queued row whose hint nobody brought is published again; the last holds for all further.
FORGOTTEN_AFTER = tuple(scaled(timedelta(minutes=minutes)) for minutes in (2, 4, 8, 16, 32, 60))
#: Counted no further: the column is small, and a queue may be broken for weeks.
MOST_PUBLISHES = 1000


class Hint(NamedTuple):
    """All that a broker is told of a notification."""

    id: UUID
    correlation_id: str = ""


class Held(NamedTuple):
    """A notification and the token of whoever writes about it."""

    id: UUID
    token: UUID | None = None


class Wait(NamedTuple):
    """Until when a row that is accepted waits from now on, and why."""

    id: UUID
    waiting_for: str
    #: A code of `reasons.py`, and the values of its sentence.
    reason: str
    reason_data: dict[str, str]
    available_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a notification: the change, why, and when it is due again."""

    change: Change
    reason: str
    data: dict[str, str] = field(default_factory=dict)
    waiting_for: str = ""
    #: A moment, or so long after the database's now. None leaves it as it is.
    available: datetime | timedelta | None = None
    #: Whether this counts against MAX_ATTEMPTS.
    uses_attempt: bool = False
    #: Further columns, such as `sent_at`.
    columns: dict[str, Any] = field(default_factory=dict)
    #: What the timeline calls it; empty for the name of the new status.
    event: str = ""
    #: False keeps it out of the timeline: the same as last time.
    is_news: bool = True


def due_ids(*, channel: str, limit: int, longer_than: timedelta = timedelta(0)) -> list[UUID]:
    """Ids of notifications of a channel that have been due for so long, most urgent first, then oldest."""
    due = Notification.objects.due(longer_than).filter(channel=channel).order_by("-priority", "available_at")
    return list(due.values_list("pk", flat=True)[:limit])


def urgent_ids(*, channel: str, limit: int) -> list[UUID]:
    """Ids of urgent notifications of a channel that nobody has taken, whether or not a hint is on its way."""
    urgent = Notification.objects.urgent().filter(channel=channel).order_by("-priority", "available_at")
    return list(urgent.values_list("pk", flat=True)[:limit])


@transaction.atomic
def queue_due(*, channel: str, limit: int) -> list[Hint]:
    """Call due notifications queued, most urgent first; returns the hints the relay now publishes.

    Committed before anything is published, and no lock is held while the broker confirms: a consumer that gets a hint
    finds its row free, and a cancellation does not wait for the broker. Any number of relays may do it at once.
    """
    due = Notification.objects.due().filter(channel=channel).order_by("-priority", "available_at")
    rows = due.select_for_update(skip_locked=True).values_list("pk", "correlation_id")[:limit]
    hints = [Hint(pk, correlation_id) for pk, correlation_id in rows]
    if hints:
        failpoint("relay.locked")
    Notification.objects.among([hint.id for hint in hints]).update(
        status=statuses.QUEUE.target,
        published_at=Now(),
        publish_count=Least(F("publish_count") + 1, MOST_PUBLISHES),
        news_count=F("news_count") + 1,
        updated_at=Now(),
    )
    callbacks.owe((hint.id, callbacks.QUEUED) for hint in hints)
    return hints


def reopen(ids: Collection[UUID]) -> int:
    """The broker has not taken these hints: accepted again, and due. Returns how many were still queued."""
    return _reopen(Notification.objects.filter(pk__in=ids), limit=len(ids))


def reopen_oldest(*, channel: str, limit: int) -> int:
    """So many hints of a channel are missing: most likely those published first. Returns how many rows."""
    return _reopen(Notification.objects.filter(channel=channel).order_by("published_at"), limit=limit)


def reopen_forgotten(*, limit: int) -> int:
    """Queued for so long that the hint is taken for lost, however full the queue is. Returns how many rows."""
    return _reopen(Notification.objects.hinted_long_ago(FORGOTTEN_AFTER), limit=limit)


@transaction.atomic
def _reopen(candidates: NotificationQuerySet, *, limit: int) -> int:
    """At worst a hint comes twice then: the second cannot be claimed."""
    queued = candidates.filter(status__in=statuses.REOPEN.sources)
    ids = list(queued.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    count = Notification.objects.filter(pk__in=ids).update(status=statuses.REOPEN.target, updated_at=Now())
    if count:
        failpoint("sweeper.reopen")
    return count


@transaction.atomic
def claim(
    ids: Collection[UUID], *, channel: str, holder: str, abandoned: Collection[UUID] = ()
) -> tuple[list[Claimed], list[UUID]]:
    """Take what may be taken of `ids` under a new token and lease: (claimed, suspects still to be claimed one by one).

    Ids somebody else holds, or that are no longer to be sent, are in neither list. A claim on one of the `abandoned` is
    not waited for: its holder has gone or was cut off from the broker, and its token no longer fits. Only a claim of
    this very holder stands, for whoever asks knows that it lives.
    """
    claimable = Notification.objects.claimable(abandoned, by_others_than=holder).among(ids).filter(channel=channel)
    locked = claimable.select_for_update(skip_locked=True).order_by("-priority", "available_at")
    rows = [row for row in starmap(Claimed, locked.values_list(*COLUMNS)) if not _is_poison_when_stolen(row)]
    suspects = [row for row in rows if row.crash_count >= SUSPECT_AFTER]
    taken = [row for row in rows if row.crash_count < SUSPECT_AFTER] or suspects[:1]
    taken_ids = {row.pk for row in taken}
    token = uuid4()
    lease = {"claim_token": token, "claimed_by": holder, "lease_expires_at": Now() + CLAIM_LEASE}
    stolen = [row.pk for row in taken if row.status in statuses.STEAL.sources]
    if stolen:
        Notification.objects.filter(pk__in=stolen).update(crash_count=F("crash_count") + 1)
    if taken:
        Notification.objects.among(taken_ids).update(status=statuses.CLAIM.target, updated_at=Now(), **lease)
    for row in taken:
        row.status, row.claim_token = Status.CLAIMED, token
    return taken, [row.pk for row in suspects if row.pk not in taken_ids]


def _is_poison_when_stolen(row: Claimed) -> bool:
    """One crash more would be one too many: it is left to the sweeper, which sets it aside."""
    return row.status in statuses.STEAL.sources and row.crash_count + 1 >= POISON_AFTER


@transaction.atomic
def rearrange(waits: Sequence[Wait]) -> int:
    """Other moments for what waits for the end of a silence, and still does. Returns how many rows were asked for."""
    columns = ("waiting_for", "reason", "reason_data", "available_at")
    update_each(
        Notification,
        [{"id": each.id} | {name: getattr(each, name) for name in columns} for each in waits],
        and_set=f"updated_at = {now_sql()}",
        only_if="{table}.status = 'accepted' AND {table}.waiting_for = 'quiet_hours'",
    )
    insert_all(
        [
            NotificationEvent(notification_id=each.id, type=Status.ACCEPTED, reason=each.reason, data=each.reason_data)
            for each in waits
        ]
    )
    return len(waits)


def release(held: Iterable[Held]) -> None:
    """Give back what was claimed and not handed over: due again at once, nobody is blamed."""
    verdict = Verdict(change=statuses.RELEASE, reason="waiting", available=timedelta(0), event="released")
    settle([(each, verdict) for each in held])


def settle(verdicts: Sequence[tuple[Held, Verdict]]) -> set[UUID]:
    """Carry out the verdicts that are still ours to make; returns the ids for which that was so.

    A row that another holder has taken, or that has moved on, stays untouched: its writer was overtaken.
    """
    return _settle(verdicts) if verdicts else set()


@transaction.atomic
def _settle(verdicts: Sequence[tuple[Held, Verdict]]) -> set[UUID]:
    wanted = {held.id: (held.token, verdict) for held, verdict in verdicts}
    # Whoever waits for locks takes them in one order: two batches that share rows must not wait for each other.
    locked = Notification.objects.among(wanted).select_for_update().order_by("pk")
    rows = list(locked.values_list("pk", "status", "claim_token", "channel", "is_simulated"))
    ours = {pk for pk, status, token, *_ in rows if _allows(wanted[pk][1].change, status, token, wanted[pk][0])}
    events: list[dict[str, Any]] = []
    for verdict, ids in _groups((pk, verdict) for pk, (_, verdict) in wanted.items() if pk in ours):
        Notification.objects.among(ids).update(**_columns(verdict))
        if verdict.is_news:
            events += _events(ids, verdict)
        if news := _news(verdict):
            callbacks.owe((pk, news) for pk in ids)
        if status_cache.may_be_kept(verdict.change):
            status_cache.mark_on_commit(ids)
    insert_values(NotificationEvent, events)
    real = [(pk, channel) for pk, _, _, channel, is_simulated in rows if pk in ours and not is_simulated]
    changes = Counter(_changed(channel, wanted[pk][1]) for pk, channel in real)
    transaction.on_commit(lambda: metrics.count_changes(changes.items()), robust=True)
    return ours


def _groups(verdicts: Iterable[tuple[UUID, Verdict]]) -> list[tuple[Verdict, list[UUID]]]:
    """Verdicts that write the same columns share one UPDATE. Nearly always it is the very same verdict."""
    same: defaultdict[int, list[UUID]] = defaultdict(list)
    kept: dict[int, Verdict] = {}
    for pk, verdict in verdicts:
        same[id(verdict)].append(pk)
        kept[id(verdict)] = verdict
    alike: dict[str, tuple[Verdict, list[UUID]]] = {}
    for key, verdict in kept.items():
        alike.setdefault(_alike(verdict), (verdict, []))[1].extend(same[key])
    return list(alike.values())


def _changed(channel: str, verdict: Verdict) -> Changed:
    is_retry = verdict.event == "retrying" and verdict.uses_attempt
    retried = verdict.data.get("provider", "") if is_retry else ""
    return Changed(channel, verdict.change.target, verdict.reason, retried)


def _allows(change: Change, status: str, row_token: UUID | None, token: UUID | None) -> bool:
    return status in change.sources and (not change.needs_token or row_token == token)


def _alike(verdict: Verdict) -> str:
    """Verdicts with the same key write the same columns and share one UPDATE."""
    return json.dumps(
        [
            verdict.change.name,
            verdict.reason,
            verdict.data,
            verdict.waiting_for,
            str(verdict.available),
            verdict.uses_attempt,
            _news(verdict),
            sorted(verdict.columns),
            [str(value) for _, value in sorted(verdict.columns.items())],
        ],
        sort_keys=True,
    )


def _news(verdict: Verdict) -> str | None:
    return callbacks.news_of(verdict.change.target, verdict.event, is_news=verdict.is_news)


def _columns(verdict: Verdict) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "status": verdict.change.target,
        "reason": verdict.reason,
        "reason_data": verdict.data,
        "waiting_for": verdict.waiting_for,
        "updated_at": Now(),
    }
    if verdict.available is not None:
        moment = verdict.available
        columns["available_at"] = Now() + moment if isinstance(moment, timedelta) else moment
    if verdict.uses_attempt:
        columns["tries_used"] = F("tries_used") + 1
    if _news(verdict):
        columns["news_count"] = F("news_count") + 1
    if verdict.change.target not in statuses.HELD | {Status.UNKNOWN}:
        # Nobody holds it any more. A doubtful one keeps its token: a late answer may still prove it sent.
        columns |= {"claim_token": None, "lease_expires_at": None}
    return columns | verdict.columns


def _events(ids: Iterable[UUID], verdict: Verdict) -> list[dict[str, Any]]:
    same = {"type": verdict.event or verdict.change.target.value, "reason": verdict.reason, "data": verdict.data}
    return [{"notification_id": pk, **same} for pk in ids]


@transaction.atomic
def release_stalled(*, limit: int, whoever_holds: bool = False) -> int:
    """Give back what dead consumers had claimed; what killed too many of them is set aside. Returns how many rows.

    `whoever_holds` takes also what is still under a lease: only when nothing else can be alive.
    """
    source = Notification.objects.filter(status__in=statuses.RELEASE_STALLED.sources)
    stalled = source if whoever_holds else Notification.objects.stalled(statuses.RELEASE_STALLED)
    rows = list(stalled.select_for_update(skip_locked=True).values_list("pk", "claim_token", "crash_count")[:limit])
    verdicts = []
    for pk, token, crash_count in rows:
        crashes = crash_count + 1
        change, reason = statuses.RELEASE_STALLED, "waiting"
        if crashes >= POISON_AFTER:
            change, reason = statuses.SET_ASIDE, "poison"
        verdict = Verdict(
            change=change,
            reason=reason,
            data={"n": str(crashes)},
            available=timedelta(0),
            columns={"crash_count": crashes},
            event="" if reason == "poison" else "released",
        )
        verdicts.append((Held(pk, token), verdict))
    released = settle(verdicts)
    if released:
        failpoint("sweeper.release_stalled")
    return len(released)


@transaction.atomic
def expire_overdue(*, limit: int) -> int:
    """End what was not handed over before its time limit. Returns how many."""
    overdue = Notification.objects.overdue().select_for_update(skip_locked=True)
    rows = list(overdue.values_list("pk", "claim_token", "expires_at")[:limit])
    expired = settle(
        [
            (
                Held(pk, token),
                Verdict(change=statuses.EXPIRE, reason="expired", data={"t": f"{moment:%Y-%m-%d %H:%M} UTC"}),
            )
            for pk, token, moment in rows
        ]
    )
    if expired:
        failpoint("sweeper.expire_overdue")
    return len(expired)


class AlreadyLeft(Exception):
    """The notification cannot be cancelled any more; `status` says where it is."""

    def __init__(self, status: str) -> None:
        super().__init__(f"It is {status}.")
        self.status = status


def cancel(notification_id: UUID, *, who: str, why: str = "") -> None:
    """Stop what has not left. Repeatable. A holder in the middle of preparing it is fenced off.

    Raises `AlreadyLeft`, or `Notification.DoesNotExist`.
    """
    data = {"who": who} | ({"reason": why} if why else {})
    if settle([(Held(notification_id), Verdict(change=statuses.CANCEL, reason="cancelled", data=data))]):
        return
    status = Notification.objects.values_list("status", flat=True).get(pk=notification_id)
    if status != Status.CANCELLED:
        raise AlreadyLeft(status)
