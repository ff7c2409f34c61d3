"""Use cases about providers: what all processes know of their breakers, the one trial, what operators force.

The database's clock decides. Nothing here is needed for a delivery: whoever cannot read it goes by what it knew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from gateway.channel_contract import DETAIL_LENGTH, storable
from gateway.models import BreakerTransition, ProviderState
from gateway.time_scale import scaled

#: How long the one trial may take before somebody else may make it: longer than connecting and any provider call.
TRIAL_LEASE = scaled(timedelta(seconds=60))
#: How long transitions are kept.
KEEP_TRANSITIONS = timedelta(days=30)

Change = BreakerTransition.Change
State = ProviderState.State
Force = ProviderState.Force

#: What an operator may want, and how the log of transitions calls it.
WISHES = {"open": Change.FORCED_OPEN, "closed": Change.FORCED_CLOSED, "auto": Change.AUTOMATIC}
NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateNow:
    """One provider as the table has it, with moments turned into times from now by the database's clock."""

    channel: str
    provider: str
    is_open: bool
    #: Until the next trial may be made; nothing while closed.
    retry_in: timedelta
    #: How long the trial of somebody may still take; nothing when nobody makes one.
    trial_for: timedelta
    #: How long others still go first although it works again.
    rests_for: timedelta
    #: How long the provider asked us to leave it alone.
    paused_for: timedelta
    #: What an operator forces at this moment: open, closed or nothing.
    forced: str
    #: None: until somebody takes it back.
    forced_for: timedelta | None

    @property
    def word(self) -> str:
        """closed, open or half_open, the operator's will included."""
        if self.forced:
            return self.forced
        if not self.is_open:
            return "closed"
        return "half_open" if self.trial_for else "open"


class UnknownProviderState(Exception):
    """No such provider has worked here yet; `known` says which have."""

    def __init__(self, provider: str, known: Iterable[str]) -> None:
        self.known = sorted(set(known))
        super().__init__(f"{provider!r} is no provider in use; there are {', '.join(self.known) or 'none'}.")


def introduce(channel: str, providers: Iterable[str]) -> None:
    """Give each of these providers a row, as far as it has none."""
    ProviderState.objects.bulk_create(
        (ProviderState(channel=channel, provider=name) for name in providers), ignore_conflicts=True
    )


def read_all(channel: str | None = None) -> list[StateNow]:
    """Every provider (of a channel), as it is now. One small query."""
    rows = ProviderState.objects.annotate(database_now=Now()).order_by("channel", "provider")
    return [state_now(row, row.database_now) for row in (rows.filter(channel=channel) if channel else rows)]


def state_now(row: ProviderState, now: datetime) -> StateNow:
    """A row as seen at this moment: what has run out by itself is no more."""
    is_forced = bool(row.forced) and (row.forced_until is None or row.forced_until > now)
    return StateNow(
        channel=row.channel,
        provider=row.provider,
        is_open=row.state == State.OPEN,
        retry_in=_left(row.retry_at, now) if row.state == State.OPEN else NOTHING,
        trial_for=_left(row.trial_until, now),
        rests_for=_left(row.rests_until, now) if row.state == State.CLOSED and not is_forced else NOTHING,
        paused_for=_left(row.paused_until, now),
        forced=row.forced if is_forced else "",
        forced_for=row.forced_until - now if is_forced and row.forced_until else None,
    )


def _left(moment: datetime | None, now: datetime) -> timedelta:
    return max(moment - now, NOTHING) if moment else NOTHING


def _row(channel: str, provider: str) -> QuerySet[ProviderState]:
    return ProviderState.objects.filter(channel=channel, provider=provider)


@transaction.atomic
def note_opened(
    channel: str,
    provider: str,
    *,
    pause: timedelta,
    failures: int,
    error: str,
    who: str,
    trial: UUID | None = None,
) -> bool:
    """A process found the provider failing. False when others knew: their moment of the next trial stands.

    `trial` is the token of the trial that failed; a trial that somebody else has taken over meanwhile says nothing.
    """
    introduce(channel, [provider])
    rows = _row(channel, provider)
    ours = rows.filter(state=State.OPEN, trial_token=trial) if trial else rows.filter(state=State.CLOSED)
    error = storable(error, DETAIL_LENGTH)
    changed = ours.update(
        state=State.OPEN,
        retry_at=Now() + pause,
        consecutive_failures=failures,
        last_error=error,
        last_error_at=Now(),
        rests_until=None,
        **_NO_TRIAL,
        # A trial that failed leaves it open: it has been so since it opened first.
        **({} if trial else {"opened_at": Now()}),
    )
    if changed:
        _log(channel, provider, Change.OPENED, who=who, why=error)
    return bool(changed)


_NO_TRIAL = {"trial_token": None, "trial_by": "", "trial_until": None}


@transaction.atomic
def take_trial(channel: str, provider: str, *, who: str) -> UUID | None:
    """The right to make the one trial of all processes, or None: too early, not open, or somebody else makes it."""
    token = uuid4()
    free = Q(trial_until=None) | Q(trial_until__lte=Now())
    taken = _row(channel, provider).filter(free, state=State.OPEN, retry_at__lte=Now())
    if not taken.update(trial_token=token, trial_by=who, trial_until=Now() + TRIAL_LEASE):
        return None
    _log(channel, provider, Change.TRIAL, who=who)
    return token


def give_trial_back(channel: str, provider: str, *, trial: UUID) -> None:
    """The trial said nothing about the provider: anybody may make another one."""
    _row(channel, provider).filter(trial_token=trial).update(**_NO_TRIAL)


@transaction.atomic
def note_closed(channel: str, provider: str, *, who: str, trial: UUID | None, settle: timedelta = NOTHING) -> bool:
    """The trial went well. A trial that somebody else has taken over meanwhile says nothing.

    Without a token: made while the table could not be asked. For the time of `settle` others go first.
    """
    rows = _row(channel, provider).filter(state=State.OPEN)
    changed = (rows.filter(trial_token=trial) if trial else rows).update(
        state=State.CLOSED, retry_at=None, consecutive_failures=0, rests_until=Now() + settle, **_NO_TRIAL
    )
    if changed:
        _log(channel, provider, Change.CLOSED, who=who)
    return bool(changed)


def note_failures(channel: str, provider: str, *, failures: int, error: str) -> None:
    """How often in a row a process has seen a provider fail that is still asked; for people."""
    error = storable(error, DETAIL_LENGTH)
    words = {"last_error": error, "last_error_at": Now()} if failures else {}
    _row(channel, provider).filter(state=State.CLOSED).update(consecutive_failures=failures, **words)


def note_pause(channel: str, provider: str, *, wait: timedelta) -> None:
    """The provider asked us to leave it alone for so long. A longer pause that is known already stands."""
    introduce(channel, [provider])
    until = Now() + wait
    _row(channel, provider).filter(Q(paused_until=None) | Q(paused_until__lt=until)).update(paused_until=until)


@transaction.atomic
def force(
    provider: str, wish: str, *, who: str, why: str, channel: str = "", lasts: timedelta | None = None
) -> list[str]:
    """An operator decides: `open`, `closed`, or `auto` to leave it to the breaker again. Returns the channels.

    `auto` also forgets the pauses: the next trial may be made at once. `auto` and `closed` end a rest.
    `channel` narrows a provider of several.
    Raises `UnknownProviderState`.
    """
    rows = ProviderState.objects.filter(provider=provider, **({"channel": channel} if channel else {}))
    channels = list(rows.select_for_update().order_by("channel").values_list("channel", flat=True))
    if not channels:
        known = ProviderState.objects.filter(**({"channel": channel} if channel else {}))
        raise UnknownProviderState(provider, known.values_list("provider", flat=True))
    if wish == "auto":
        rows.update(forced="", forced_until=None, forced_by="", forced_why="", paused_until=None, rests_until=None)
        rows.filter(state=State.OPEN).update(retry_at=Now(), **_NO_TRIAL)
    else:
        rows.update(
            forced=Force(wish), forced_until=Now() + lasts if lasts else None, forced_by=who[:200], forced_why=why[:200]
        )
    if wish == "closed":
        rows.update(rests_until=None)
    for each in channels:
        _log(each, provider, WISHES[wish], who=who, why=why)
    return channels


def forget_transitions() -> int:
    """Old transitions interest nobody. Returns how many there were."""
    count, _ = BreakerTransition.objects.filter(at__lt=Now() - KEEP_TRANSITIONS).delete()
    return count


def _log(channel: str, provider: str, change: BreakerTransition.Change, *, who: str, why: str = "") -> None:
    BreakerTransition.objects.create(
        channel=channel, provider=provider, change=change, who=who[:200], why=storable(why, DETAIL_LENGTH)
    )
