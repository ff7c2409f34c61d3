"""How each provider does, in words: for the operators' page. A few small queries, whatever the traffic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gateway import provider_states
from gateway.channel_contract import Outcome
from gateway.database_clock import database_now
from gateway.models import BreakerTransition, DeliveryAttempt, ProviderState
from gateway.provider_order import provider_order
from gateway.provider_states import Change, StateNow
from users.channels import Channel
from users.moments import clock

#: How far the strip and the log reach back.
SHOWN = timedelta(hours=24)
HOURS = 24
#: So many transitions are listed.
LISTED = 50
#: What counts as lately, and the most attempts that are looked at for it.
LATELY, LATEST = timedelta(minutes=5), 1000

WORDS: dict[str, tuple[str | Promise, str]] = {
    "closed": (gettext_lazy("Working"), "success"),
    "failing": (gettext_lazy("Failing"), "warning"),
    "slow": (gettext_lazy("Slowed down"), "warning"),
    "resting": (gettext_lazy("Resting"), "info"),
    "open": (gettext_lazy("Paused"), "danger"),
    "half_open": (gettext_lazy("Trial"), "info"),
    "forced_open": (gettext_lazy("Forced open"), "danger"),
    "forced_closed": (gettext_lazy("Forced closed"), "warning"),
}
#: What each transition leaves behind: the provider is asked, or not.
IS_OPEN_AFTER = {
    Change.OPENED: True,
    Change.FORCED_OPEN: True,
    Change.CLOSED: False,
    Change.FORCED_CLOSED: False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One provider of one channel."""

    row: ProviderState
    state: StateNow
    word: str | Promise
    tone: str
    sentence: str
    #: Its place in the channel's order, from 1; None when the settings do not name it any more.
    place: int | None
    #: Its part of the traffic in percent; None in a strict order, and for those that stand by.
    share: int | None
    #: Asked only when those that share the traffic take nothing.
    stands_by: bool
    #: Share of the attempts of the last minutes it took; None without any.
    success: float | None
    attempts: int
    #: One word for each of the last 24 hours, oldest first: working or paused.
    hours: list[str]


def overviews() -> list[Overview]:
    """Every provider, those in use first, each channel in its order of preference."""
    rows = list(ProviderState.objects.all())
    now = database_now()
    taken = _taken_lately()
    steps = list(BreakerTransition.objects.filter(at__gt=Now() - SHOWN).order_by("at", "id"))
    found = [_overview(row, now, taken, steps) for row in rows]
    return sorted(found, key=lambda each: (each.row.channel, each.place or 99, each.row.provider))


def latest_transitions() -> list[BreakerTransition]:
    """What happened in the last 24 hours, newest first."""
    return list(BreakerTransition.objects.filter(at__gt=Now() - SHOWN).order_by("-at", "-id")[:LISTED])


def _overview(
    row: ProviderState, now: datetime, taken: dict[tuple[str, str], list[bool]], steps: Sequence[BreakerTransition]
) -> Overview:
    state = provider_states.state_now(row, now)
    place, share = _place(row), _share(row)
    kind = _kind(row, state)
    word, tone = WORDS[kind]
    attempts = taken.get((row.channel, row.provider), [])
    own = [step for step in steps if (step.channel, step.provider) == (row.channel, row.provider)]
    return Overview(
        row=row,
        state=state,
        word=word,
        tone=tone,
        sentence=_sentence(kind, row, state),
        place=place,
        share=share,
        stands_by=bool(place) and share is None and _is_shared(row.channel),
        success=100 * attempts.count(True) / len(attempts) if attempts else None,
        attempts=len(attempts),
        hours=_hours(own, now, is_open_now=state.word in ("open", "half_open")),
    )


def _kind(row: ProviderState, state: StateNow) -> str:
    if state.forced:
        return f"forced_{state.forced}"
    if state.word == "closed" and state.paused_for:
        return "slow"
    if state.word == "closed" and row.consecutive_failures:
        return "failing"
    if state.rests_for and len(provider_order(row.channel).names) > 1:
        return "resting"
    return state.word


def _sentence(kind: str, row: ProviderState, state: StateNow) -> str:
    if kind == "resting" and row.rests_until:
        words = _("It works again. The others go first until {time}, so that traffic does not jump back and forth.")
        return words.format(time=clock(row.rests_until))
    return _sentence_of(kind, row, state)


def _sentence_of(kind: str, row: ProviderState, state: StateNow) -> str:
    match kind:
        case "forced_open":
            return _("{who} keeps it from being asked {until}: {why}").format(
                who=row.forced_by, until=_until(row), why=row.forced_why
            )
        case "forced_closed":
            return _("{who} has it asked whatever it answers, {until}: {why}").format(
                who=row.forced_by, until=_until(row), why=row.forced_why
            )
        case "slow":
            return _("It asked us to slow down; it is asked again in {time}.").format(time=_spoken(state.paused_for))
        case "failing":
            words = ngettext("The last try failed.", "The last {n} tries failed.", row.consecutive_failures)
            return words.format(n=row.consecutive_failures)
        case "half_open":
            return _("One message finds out whether it works again, sent by {who}.").format(who=row.trial_by)
        case "open" if state.retry_in:
            return _("Too many tries failed. It may be tried again in {time}.").format(time=_spoken(state.retry_in))
        case "open":
            return _("Too many tries failed. The next message finds out whether it works again.")
        case _:
            return _("It takes messages.")


def _until(row: ProviderState) -> str:
    if row.forced_until is None:
        return _("until somebody ends it")
    return _("until {time}").format(time=clock(row.forced_until))


def _spoken(time: timedelta) -> str:
    seconds = max(1, round(time.total_seconds()))
    if seconds < 120:
        return _("{n} s").format(n=seconds)
    return _("{n} min").format(n=round(seconds / 60))


def _place(row: ProviderState) -> int | None:
    names = provider_order(row.channel).names
    return names.index(row.provider) + 1 if row.provider in names else None


def _is_shared(channel: str) -> bool:
    """Devices belong to their service: nothing is shared there."""
    return channel != Channel.PUSH and bool(provider_order(channel).weights)


def _share(row: ProviderState) -> int | None:
    if not _is_shared(row.channel):
        return None
    order = provider_order(row.channel)
    weights = dict(zip(order.names, order.weights, strict=False))
    return round(100 * weights[row.provider] / sum(weights.values())) if row.provider in weights else None


def _taken_lately() -> dict[tuple[str, str], list[bool]]:
    """By channel and provider, for each answered attempt of the last minutes whether it was taken.

    The newest attempts have the highest keys: their index serves, and no more than `LATEST` are ever looked at.
    """
    newest = DeliveryAttempt.objects.order_by("-pk").values("pk")[:LATEST]
    rows = DeliveryAttempt.objects.filter(pk__in=[each["pk"] for each in newest], started_at__gt=Now() - LATELY)
    answered = rows.exclude(outcome=None).values_list("notification__channel", "provider", "outcome")
    found: dict[tuple[str, str], list[bool]] = {}
    for channel, provider, outcome in answered:
        found.setdefault((channel, provider), []).append(outcome == Outcome.ACCEPTED)
    return found


def _hours(steps: Sequence[BreakerTransition], now: datetime, *, is_open_now: bool) -> list[str]:
    """An hour is paused when the provider was at any time of it."""
    telling = [(step.at, IS_OPEN_AFTER[Change(step.change)]) for step in steps if step.change in IS_OPEN_AFTER]
    # Before the first change it was the other way round.
    is_open = not telling[0][1] if telling else is_open_now
    hours = []
    for number in range(HOURS):
        ends = now - SHOWN + SHOWN / HOURS * (number + 1)
        was_open = is_open
        while telling and telling[0][0] <= ends:
            is_open = telling.pop(0)[1]
            was_open = was_open or is_open
        hours.append("paused" if was_open else "working")
    return hours
