"""What follows from a provider's answers: when to try again, when to give up. Pure: no clock, no sleep, no query."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from tenacity import RetryCallState, wait_exponential_jitter

from consumers.delivery_rules import Rules
from gateway import statuses
from gateway.channel_contract import Outcome, ProviderAway, SendResult
from gateway.models import WaitingFor
from gateway.outbox import Verdict
from gateway.time_scale import scaled
from gateway.tracking import doubt_verdict, sent_verdict

#: When a provider asks for more time than this, we ask again sooner anyway.
LONGEST_WAIT = timedelta(hours=24)
#: How long a wrong setting of ours is left alone before the next look.
MISCONFIGURED_WAIT = scaled(timedelta(minutes=1))
#: Without a hint from the provider.
THROTTLED_WAIT = scaled(timedelta(seconds=10))


#: On top of each wait, so that a crowd does not come back at once; less where the waits themselves are short.
JITTER = timedelta(seconds=5)


def retry_delay(tries_used: int, rules: Rules) -> timedelta:
    """How long to wait after so many tries, at least one: exponential, with jitter."""
    first = rules.first_retry.total_seconds()
    jitter = min(JITTER.total_seconds(), first / 2)
    wait = wait_exponential_jitter(multiplier=first, max=rules.longest_retry.total_seconds(), exp_base=2, jitter=jitter)
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]  # only the number is read
    state.attempt_number = max(1, tries_used)
    return scaled(timedelta(seconds=wait(state)))


def throttled_wait(retry_after: timedelta | None) -> timedelta:
    """How long to leave a provider alone that wants us to slow down."""
    return min(retry_after or THROTTLED_WAIT, LONGEST_WAIT)


def verdict_after(
    results: Sequence[SendResult], *, provider: str, tries_used: int, rules: Rules, has_next: bool = False
) -> Verdict:
    """What becomes of a notification after one hand-over, with one result per message (a push has one per device).

    One device that took it is enough. Else a doubt counts before a new try, a new try before giving up.
    `tries_used` counts earlier hand-overs only. `has_next`: another provider can be asked at once, instead of waiting.
    """
    outcomes = {result.outcome for result in results}
    if Outcome.ACCEPTED in outcomes:
        return sent_verdict(change=statuses.SEND, provider=provider)
    if Outcome.UNKNOWN in outcomes:
        return doubt_verdict(statuses.DOUBT, provider)
    open_ones = [result for result in results if result.outcome is not Outcome.PERMANENT]
    if not open_ones:
        return _refused(results[0], provider)
    if any(result.outcome is Outcome.TRANSIENT for result in open_ones):
        verdict = _after_trouble(open_ones, provider=provider, tries_used=tries_used + 1, rules=rules)
    elif any(result.outcome is Outcome.MISCONFIGURED for result in open_ones):
        verdict = _wait_for_us(statuses.RETRY, provider, _longest(open_ones))
    else:
        verdict = _slow_down(statuses.RETRY, provider, _longest(open_ones))
    return replace(verdict, available=timedelta(0)) if has_next and verdict.change is statuses.RETRY else verdict


def verdict_before_hand_over(away: ProviderAway, *, provider: str, tries_used: int, rules: Rules) -> Verdict:
    """What becomes of a claimed notification whose provider could not be reached: nothing has left."""
    match away.outcome:
        case Outcome.MISCONFIGURED:
            return _wait_for_us(statuses.POSTPONE, provider)
        case Outcome.THROTTLED:
            return _slow_down(statuses.POSTPONE, provider, away.retry_after)
    tries = tries_used + 1
    if tries >= rules.max_attempts:
        data = {"n": str(tries), "error": str(away), "provider": provider}
        return Verdict(change=statuses.GIVE_UP_EARLY, reason="attempts_exhausted", data=data, uses_attempt=True)
    return Verdict(
        change=statuses.POSTPONE,
        reason="provider_down",
        data={"provider": provider, "n": str(tries + 1), "m": str(rules.max_attempts)},
        waiting_for=WaitingFor.RETRY,
        available=max(retry_delay(tries, rules), min(away.retry_after or timedelta(0), LONGEST_WAIT)),
        uses_attempt=True,
        event="retrying",
    )


def verdict_while_waiting(reason: str, *, provider: str, wait: timedelta, is_news: bool) -> Verdict:
    """What becomes of a claimed notification while no provider may be asked: no attempt is used up."""
    return Verdict(
        change=statuses.POSTPONE,
        reason=reason,
        data={"provider": provider},
        waiting_for=WaitingFor.BREAKER if reason == "breaker_open" else WaitingFor.PACING,
        available=wait,
        event="retrying",
        is_news=is_news,
    )


def _refused(result: SendResult, provider: str) -> Verdict:
    data = {"provider": provider, "error": result.detail or result.error_code, "code": result.provider_code}
    return Verdict(change=statuses.GIVE_UP, reason=result.reason, data=data, uses_attempt=True)


def _after_trouble(results: Sequence[SendResult], *, provider: str, tries_used: int, rules: Rules) -> Verdict:
    trouble = next(result for result in results if result.outcome is Outcome.TRANSIENT)
    error = trouble.detail or trouble.error_code
    if tries_used >= rules.max_attempts:
        data = {"n": str(tries_used), "error": error, "provider": provider}
        return Verdict(change=statuses.GIVE_UP, reason="attempts_exhausted", data=data, uses_attempt=True)
    return Verdict(
        change=statuses.RETRY,
        reason="retrying",
        data={"provider": provider, "last_error": error, "n": str(tries_used + 1), "m": str(rules.max_attempts)},
        waiting_for=WaitingFor.RETRY,
        available=max(retry_delay(tries_used, rules), _longest(results) or timedelta(0)),
        uses_attempt=True,
        event="retrying",
    )


def _wait_for_us(change: statuses.Change, provider: str, wait: timedelta | None = None) -> Verdict:
    return Verdict(
        change=change,
        reason="provider_auth",
        data={"provider": provider},
        waiting_for=WaitingFor.RETRY,
        available=max(MISCONFIGURED_WAIT, wait or timedelta(0)),
        event="retrying",
    )


def _slow_down(change: statuses.Change, provider: str, retry_after: timedelta | None) -> Verdict:
    return Verdict(
        change=change,
        reason="rate_limited",
        data={"provider": provider},
        waiting_for=WaitingFor.PACING,
        available=throttled_wait(retry_after),
        event="retrying",
    )


def _longest(results: Sequence[SendResult]) -> timedelta | None:
    waits = [result.retry_after for result in results if result.retry_after is not None]
    return min(max(waits), LONGEST_WAIT) if waits else None
