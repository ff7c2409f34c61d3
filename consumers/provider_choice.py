"""Which provider is handed the next messages: the first in the channel's order that may be asked and can be reached."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from consumers.backoff import throttled_wait, verdict_before_hand_over, verdict_while_waiting
from consumers.breakers import FOLLOW_EVERY, Breakers, NotNow, Obstacle, Permit
from consumers.delivery_rules import DeliveryRules
from gateway.channel_contract import Channel, Outcome, Provider, ProviderAway, UnknownProvider
from gateway.claimed import Claimed
from gateway.outbox import Verdict
from gateway.simulation import SIMULATOR

log = structlog.get_logger(__name__)

#: Who waits for a provider comes back up to this much later, so that a crowd does not come at once.
JITTER = timedelta(seconds=2)
#: After these the next try goes to the provider after the one that said so.
REFUSED_FOR_NOW = frozenset({"retrying", "provider_auth", "rate_limited"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A provider with its connection open, and the right to use it once."""

    provider: Provider
    permit: Permit


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """A provider that was asked and could not be reached."""

    provider: str
    why: ProviderAway
    is_trial: bool

    @property
    def is_definite(self) -> bool:
        """A try that failed, and counts. A failed trial does not: an open breaker uses no attempts up."""
        return not self.is_trial and self.why.outcome not in (Outcome.MISCONFIGURED, Outcome.THROTTLED)

    @property
    def is_failed_trial(self) -> bool:
        """The breaker opened again."""
        return self.is_trial and self.why.outcome not in (Outcome.MISCONFIGURED, Outcome.THROTTLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nobody:
    """No provider takes anything now; why, in the order they were asked."""

    troubles: tuple[Away | NotNow, ...]


def starts_after(notification: Claimed) -> str:
    """The provider that refused it for now, so that the next one in order is asked first; empty for none."""
    told = notification.reason_data.get("provider", "")
    is_refused = bool(notification.attempt_count) and notification.reason in REFUSED_FOR_NOW
    return notification.provider if is_refused and told == notification.provider else ""


def _from(names: Sequence[str], after: str) -> list[str]:
    """In order, beginning behind `after`."""
    first = names.index(after) + 1 if after in names else 0
    return [*names[first:], *names[:first]]


class ProviderChoice:
    """The providers of one sender thread, each with one connection that is kept open."""

    def __init__(self, channel: Channel, breakers: Breakers, rules: DeliveryRules) -> None:
        self._channel = channel
        self._breakers = breakers
        self._rules = rules
        self._providers: dict[str, Provider] = {}

    def choose(self, *, among: Sequence[str], after: str = "", wanted: int) -> Chosen | Nobody:
        """The first of these that takes up to `wanted` notifications now, counted from the one after `after`."""
        if tuple(among) == (SIMULATOR,):
            unlimited = Permit(provider=SIMULATOR, most=wanted, ticket=None)  # no breaker, no rate
            return Chosen(provider=self._connected(SIMULATOR), permit=unlimited)
        if not among:  # its service was switched off this very moment: it is prepared anew
            return Nobody(troubles=(NotNow(provider="", obstacle=Obstacle.PAUSE, wait=FOLLOW_EVERY),))
        troubles: list[Away | NotNow] = []
        # Who works again after a failure rests a while: others go first, so that traffic does not jump back and forth.
        for name in sorted(_from(among, after), key=self._breakers.rests):
            permit = self._breakers.ask(name, wanted=wanted)
            if isinstance(permit, NotNow):
                troubles.append(permit)
                if permit.obstacle is Obstacle.RATE:
                    break  # its turn comes in a moment: no reason to ask another
                continue
            try:
                return Chosen(provider=self._connected(name), permit=permit)
            except ProviderAway as away:
                log.warning("A provider is away.", action="connect", provider=name, detail=str(away))
                self._breakers.charge(name, -permit.most)
                self._report_away(permit, away)
                troubles.append(Away(provider=name, why=away, is_trial=permit.is_trial))
        self._breakers.tell()
        return Nobody(troubles=tuple(troubles))

    def has_next(self, name: str, *, among: Sequence[str]) -> bool:
        """Whether one of these further down the order works."""
        later = among[among.index(name) + 1 :] if name in among else []
        return any(self._breakers.works(each) for each in later)

    def nobody(self) -> Nobody | None:
        """Why no provider may be asked now; None when one may. Spares the preparation of what cannot leave."""
        self._breakers.follow()
        names = self._channel.provider_names()
        self._let_go_of_others(names)
        reasons = [self._breakers.not_now(name) for name in names]
        known = [each for each in reasons if each]
        return Nobody(troubles=tuple(known)) if len(known) == len(reasons) else None

    def soonest(self, nobody: Nobody) -> timedelta:
        """How long until one of those who take nothing now may be asked."""
        return min(self._wait(trouble) for trouble in nobody.troubles)

    def verdicts(self, waiting: Sequence[Claimed], nobody: Nobody) -> list[Verdict]:
        """What becomes of notifications nobody takes now: whoever is to be asked soonest decides."""
        trouble = min(nobody.troubles, key=self._wait)
        count = len(waiting)
        waits = [self._wait(trouble) + JITTER * random.random()] * count  # noqa: S311  no secret
        if isinstance(trouble, NotNow) and trouble.obstacle is Obstacle.RATE:
            waits = self._breakers.book(trouble.provider, count)
        return [self._verdict(each, trouble, wait) for each, wait in zip(waiting, waits, strict=True)]

    def _verdict(self, notification: Claimed, trouble: Away | NotNow, wait: timedelta) -> Verdict:
        name = trouble.provider
        if isinstance(trouble, Away) and not trouble.is_failed_trial:
            rules = self._rules.of(self._channel.name, name)
            return verdict_before_hand_over(trouble.why, provider=name, tries_used=notification.tries_used, rules=rules)
        is_open = isinstance(trouble, Away) or trouble.obstacle is Obstacle.BREAKER
        reason = "breaker_open" if is_open else "rate_limited"
        return verdict_while_waiting(reason, provider=name, wait=wait, is_news=notification.reason != reason)

    def _wait(self, trouble: Away | NotNow) -> timedelta:
        if isinstance(trouble, NotNow):
            return trouble.wait
        if trouble.is_definite:
            return timedelta(0)  # it was tried in earnest: what came of that is said, not that others are paused
        return self._breakers.wait(trouble.provider)

    def _let_go_of_others(self, names: Sequence[str]) -> None:
        """Operators may have switched some off."""
        for name in self._providers.keys() - {*names, SIMULATOR}:
            self._providers.pop(name).close()

    def close(self) -> None:
        """Let go of every provider, also when one of them cannot be closed."""
        while self._providers:
            _, provider = self._providers.popitem()
            try:
                provider.close()
            except BaseException:
                self.close()
                raise

    def _report_away(self, permit: Permit, away: ProviderAway) -> None:
        match away.outcome:
            case Outcome.MISCONFIGURED:
                self._breakers.report(permit, [Outcome.MISCONFIGURED], error=str(away))
            case Outcome.THROTTLED:
                wait = throttled_wait(away.retry_after)
                self._breakers.report(permit, [Outcome.THROTTLED], error=str(away), wait=wait)
            case _:
                self._breakers.report(permit, [Outcome.TRANSIENT], error=str(away))

    def _connected(self, name: str) -> Provider:
        """A provider, its connection open. All that may fail before the hand-over fails here."""
        try:
            if name not in self._providers:
                self._providers[name] = self._channel.load_provider(name)
            self._providers[name].connect()
        except UnknownProvider as error:  # stored by a newer version
            raise ProviderAway(str(error), outcome=Outcome.MISCONFIGURED) from error
        except ProviderAway:
            raise
        except Exception as error:
            log.exception("A provider's adapter failed before a hand-over.", action="connect")
            raise ProviderAway(f"The connection failed: {type(error).__name__}.") from error
        return self._providers[name]
