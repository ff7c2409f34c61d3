"""The providers of one channel as this process sees them: whom it may ask now. Shared by the sender threads.

Every process follows the table of provider states and tells it what it finds, so that breakers are one for all of
them. The table is never waited for: while it cannot be asked, the process goes by what it knows.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID

import structlog
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, close_old_connections

from consumers.circuit_breaker import ProviderBreaker, Ticket
from consumers.delivery_rules import DeliveryRules, Rules
from consumers.pacing import Pace
from gateway import metrics, provider_states
from gateway.channel_contract import Outcome
from gateway.provider_states import StateNow

log = structlog.stdlib.get_logger(__name__)

#: How often a process looks what the others have found.
FOLLOW_EVERY = timedelta(seconds=2)
#: How long a notification waits at most before it asks again: an operator may have changed his mind.
LONGEST_FORCED_WAIT, LONGEST_PAUSED_WAIT = timedelta(minutes=1), timedelta(minutes=5)
#: Within this time every process that is at work has counted how many there are: a little more than FOLLOW_EVERY.
NOTICED_WITHIN = timedelta(seconds=3)
NOTHING = timedelta(0)

#: What an outcome says about the provider; None for nothing.
HEALTHY: dict[Outcome, bool | None] = {
    Outcome.ACCEPTED: True,
    Outcome.PERMANENT: True,
    Outcome.TRANSIENT: False,
    Outcome.UNKNOWN: False,
    Outcome.THROTTLED: None,
}
#: Among the outcomes of one trial the first of these counts.
TELLING = (Outcome.ACCEPTED, Outcome.PERMANENT, Outcome.MISCONFIGURED, Outcome.TRANSIENT, Outcome.UNKNOWN)


class Obstacle(StrEnum):
    """Why a provider may not be asked now."""

    BREAKER = "breaker"
    #: The provider itself asked for a pause.
    PAUSE = "pause"
    #: Our own rate.
    RATE = "rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """A provider that may not be asked, and for how long."""

    provider: str
    obstacle: Obstacle
    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The right to hand so many notifications to a provider once. It is always given back by `report`."""

    provider: str
    most: int
    #: None while an operator forces the breaker closed: nothing is counted then.
    ticket: Ticket | None
    #: The right to the one trial of all processes; None without a trial, or while the table cannot be asked.
    trial: UUID | None = None

    @property
    def is_trial(self) -> bool:
        """Whether this finds out if the provider works again."""
        return self.ticket is not None and self.ticket.is_trial


@dataclass(slots=True)
class _Guard:
    """One provider."""

    name: str
    rules: Rules
    breaker: ProviderBreaker
    pace: Pace
    forced: str = ""
    #: By this process's clock; None: until somebody takes it back.
    forced_until: float | None = None
    #: By this process's clock: until then others go first.
    rests_until: float = 0.0
    last_error: str = ""
    #: What the table does not know yet, in order.
    untold: list[Callable[[], object]] = field(default_factory=list)
    #: How many failures in a row the table was last told of.
    told_failures: int = 0


class Breakers:
    """Whom of a channel's providers this process may ask now."""

    def __init__(
        self,
        channel: str,
        providers: Sequence[str],
        *,
        rules: DeliveryRules,
        holder: str,
        sharers: Callable[[], int] | None = None,
        starts_slowly: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sharers` tells how many processes share the rates of this channel's providers; None: nobody else does.

        One that `starts_slowly` gives the others the time to notice it before it takes its part of a rate.
        """
        self._channel = channel
        self._rules = rules
        self._holder = holder
        self._sharers = sharers
        self._sharing = 1
        self._held_until = clock() + NOTICED_WITHIN.total_seconds() if starts_slowly else 0.0
        self._clock = clock
        self._lock, self._telling = threading.Lock(), threading.Lock()
        self._followed_at: float | None = None
        self._guards: dict[str, _Guard] = {}
        for name in providers:
            self._guard(name)

    def _guard(self, provider: str) -> _Guard:
        """Operators may put a provider into the order at any time."""
        with self._lock:
            if provider not in self._guards:
                own = self._rules.of(self._channel, provider)
                breaker = ProviderBreaker(f"{self._channel}.{provider}", own, clock=self._clock)
                pace = Pace(own.rate, clock=self._clock, held_until=self._held_until)
                pace.share(self._sharing)
                self._guards[provider] = _Guard(provider, own, breaker, pace)
            return self._guards[provider]

    def _all_guards(self) -> list[_Guard]:
        return list(self._guards.values())

    # --- asking -------------------------------------------------------------------------------------------------------
    def ask(self, provider: str, *, wanted: int) -> Permit | NotNow:
        """The right to hand up to `wanted` notifications to a provider now, or why not."""
        self.follow()
        guard = self._guard(provider)
        if obstacle := self._obstacle(guard):
            return obstacle
        permit = self._admitted(guard)
        if permit is None:
            return NotNow(provider=provider, obstacle=Obstacle.BREAKER, wait=guard.breaker.retry_after())
        most = guard.pace.take(1 if permit.is_trial else wanted)
        if not most:
            self.report(permit, [])
            return NotNow(provider=provider, obstacle=Obstacle.RATE, wait=NOTHING)
        return replace(permit, most=most)

    def rests(self, provider: str) -> bool:
        """Whether others go first: it works again, but not for long yet. Who forces it closed ends that."""
        guard = self._guard(provider)
        return guard.rests_until > self._clock() and guard.breaker.is_closed and not self._forced(guard)

    def works(self, provider: str) -> bool:
        """Whether a provider looks as if it could be asked now, and not only for a trial; nothing is taken."""
        guard = self._guard(provider)
        return not self._obstacle(guard) and (bool(self._forced(guard)) or guard.breaker.is_closed)

    def not_now(self, provider: str) -> NotNow | None:
        """Why a provider may not be asked now, as far as is known; nothing is taken."""
        guard = self._guard(provider)
        obstacle = self._obstacle(guard)
        if obstacle or self._forced(guard) or not (wait := guard.breaker.retry_after()):
            return obstacle
        return NotNow(provider=provider, obstacle=Obstacle.BREAKER, wait=wait)

    def wait(self, provider: str) -> timedelta:
        """How long until a provider may be asked, as far as is known."""
        obstacle = self.not_now(provider)
        return obstacle.wait if obstacle else NOTHING

    def book(self, provider: str, count: int) -> list[timedelta]:
        """When so many notifications that the provider's rate has no room for shall come again."""
        return self._guard(provider).pace.book(count)

    def charge(self, provider: str, more: int) -> None:
        """So many more messages went than notifications were asked for (or fewer, when negative)."""
        self._guard(provider).pace.charge(more)

    def _obstacle(self, guard: _Guard) -> NotNow | None:
        if self._forced(guard) == "open":
            left = LONGEST_FORCED_WAIT
            if guard.forced_until is not None:
                left = min(left, timedelta(seconds=max(0.0, guard.forced_until - self._clock())))
            return NotNow(provider=guard.name, obstacle=Obstacle.BREAKER, wait=left)
        if paused := guard.pace.paused_for():
            return NotNow(provider=guard.name, obstacle=Obstacle.PAUSE, wait=min(paused, LONGEST_PAUSED_WAIT))
        return None

    def _forced(self, guard: _Guard) -> str:
        is_over = guard.forced_until is not None and guard.forced_until <= self._clock()
        return "" if is_over else guard.forced

    def _admitted(self, guard: _Guard) -> Permit | None:
        if self._forced(guard):
            return Permit(provider=guard.name, most=0, ticket=None)
        ticket = guard.breaker.admit()
        if ticket is None:
            return None
        permit = Permit(provider=guard.name, most=0, ticket=ticket)
        return self._for_the_trial(guard, permit, ticket) if ticket.is_trial else permit

    def _for_the_trial(self, guard: _Guard, permit: Permit, ticket: Ticket) -> Permit | None:
        """Half open here; among all processes the table decides who makes the trial."""
        try:
            self._tell(guard)
            trial = provider_states.take_trial(self._channel, guard.name, who=self._holder)
        except DatabaseTrouble as error:
            self._goes_alone(error)
            return permit
        if trial is not None:
            return replace(permit, trial=trial)
        guard.breaker.report(ticket, None)
        self.follow(at_once=True)
        # Perhaps another process has made it, and it went well.
        usual = guard.breaker.admit() if guard.breaker.is_closed else None
        return replace(permit, ticket=usual) if usual else None

    # --- telling ------------------------------------------------------------------------------------------------------
    def report(
        self, permit: Permit, outcomes: Sequence[Outcome], *, error: str = "", wait: timedelta | None = None
    ) -> None:
        """Give a permit back with what came of it; nothing when nothing was handed over. Asks no database."""
        guard = self._guard(permit.provider)
        if wait is not None:
            guard.pace.pause(wait)
            guard.untold.append(partial(provider_states.note_pause, self._channel, guard.name, wait=wait))
        if error:
            guard.last_error = error
        if permit.ticket is None:
            return
        if permit.is_trial:
            self._report_trial(guard, permit, permit.ticket, outcomes)
            return
        for outcome in outcomes:
            if self._report_one(guard, permit.ticket, outcome):
                self._opened(guard)

    def _report_one(self, guard: _Guard, ticket: Ticket, outcome: Outcome | None) -> bool:
        if outcome is Outcome.MISCONFIGURED:
            return guard.breaker.trip(ticket)
        return guard.breaker.report(ticket, None if outcome is None else HEALTHY[outcome])

    def _report_trial(self, guard: _Guard, permit: Permit, ticket: Ticket, outcomes: Sequence[Outcome]) -> None:
        # A push has one outcome per device: one that went well is enough.
        telling = [each for each in TELLING if each in outcomes]
        if not self._report_one(guard, ticket, telling[0] if telling else None):
            if permit.trial is not None:
                back = partial(provider_states.give_trial_back, self._channel, guard.name, trial=permit.trial)
                guard.untold.append(back)
        elif guard.breaker.is_closed:
            log.info("A provider works again.", action="breaker_closed", provider=guard.name, channel=self._channel)
            metrics.count_breaker(self._channel, guard.name, "closed")
            settle = guard.rules.settle
            guard.rests_until = self._clock() + settle.total_seconds()
            closed = partial(provider_states.note_closed, who=self._holder, trial=permit.trial, settle=settle)
            guard.untold.append(partial(closed, self._channel, guard.name))
        else:
            self._opened(guard, permit.trial)

    def _opened(self, guard: _Guard, trial: UUID | None = None) -> None:
        log.warning(
            "A provider fails and is left alone for a while.",
            action="breaker_opened",
            provider=guard.name,
            channel=self._channel,
            detail=guard.last_error,
        )
        metrics.count_breaker(self._channel, guard.name, "open")
        guard.untold.append(
            partial(
                provider_states.note_opened,
                self._channel,
                guard.name,
                pause=guard.rules.breaker_pause,
                failures=guard.breaker.fail_counter,
                error=guard.last_error,
                who=self._holder,
                trial=trial,
            )
        )

    def tell(self) -> None:
        """Write down what was found since, if anything. What the table does not take now it gets later."""
        try:
            for guard in self._all_guards():
                self._tell(guard)
        except DatabaseTrouble as error:
            self._goes_alone(error)

    def _tell(self, guard: _Guard) -> None:
        if not guard.untold:
            return
        with self._telling:
            while guard.untold:
                try:
                    guard.untold[0]()
                except (OperationalError, InterfaceError):
                    raise  # later
                except DatabaseTrouble:
                    log.exception("What was found about a provider cannot be stored.", action="follow_breakers")
                del guard.untold[0]

    # --- following ----------------------------------------------------------------------------------------------------
    def follow(self, *, at_once: bool = False) -> None:
        """Look what the other processes and the operators say, once in a while."""
        with self._lock:
            now = self._clock()
            is_fresh = self._followed_at is not None and now - self._followed_at < FOLLOW_EVERY.total_seconds()
            if is_fresh and not at_once:
                return
            self._followed_at = now
        guards = self._all_guards()
        versions = {guard.name: guard.breaker.version for guard in guards}
        try:
            for guard in guards:
                self._tell(guard)
                self._tell_failures(guard)
            states = {state.provider: state for state in provider_states.read_all(self._channel)}
            if missing := versions.keys() - states.keys():
                provider_states.introduce(self._channel, sorted(missing))
            self._share_rates(guards)
        except DatabaseTrouble as error:
            self._goes_alone(error)
            return
        for guard in guards:
            if guard.name in states:
                self._apply(guard, states[guard.name], versions[guard.name])

    def _share_rates(self, guards: Sequence[_Guard]) -> None:
        if self._sharers and any(guard.pace.is_limited for guard in guards):
            self._sharing = max(1, self._sharers())
            for guard in guards:
                guard.pace.share(self._sharing)

    def _tell_failures(self, guard: _Guard) -> None:
        failures = guard.breaker.fail_counter if guard.breaker.is_closed else guard.told_failures
        if failures != guard.told_failures:
            provider_states.note_failures(self._channel, guard.name, failures=failures, error=guard.last_error)
            guard.told_failures = failures

    def _apply(self, guard: _Guard, state: StateNow, version: int) -> None:
        guard.forced_until = None if state.forced_for is None else self._clock() + state.forced_for.total_seconds()
        guard.forced = state.forced
        if guard.untold or guard.breaker.version != version:
            return  # what we have found meanwhile is newer
        guard.pace.follow_pause(state.paused_for)
        guard.rests_until = self._clock() + state.rests_for.total_seconds()
        if state.is_open:
            guard.breaker.follow_open(max(state.retry_in, min(state.trial_for, FOLLOW_EVERY)))
        else:
            guard.breaker.follow_closed()

    def _goes_alone(self, error: Exception) -> None:
        log.warning(
            "The table of provider states is away; this process goes by what it knows.",
            action="follow_breakers",
            channel=self._channel,
            detail=type(error).__name__,
        )
        close_old_connections()
