"""How often to try, how long to wait, when to stop asking a provider, how fast to ask it: read once, never changed.

Written as `<email|push|provider>.<rule>=<value>`, separated by commas. A provider's rule wins over its channel's, that
over the default.
"""

import re
from argparse import ArgumentTypeError
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from users.channels import Channel
from users.command_line import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for one provider of one channel."""

    #: Tries before a notification becomes a dead letter.
    max_attempts: int = 8
    #: About so long after the first try comes the second; each further wait is twice as long.
    first_retry: timedelta = timedelta(seconds=10)
    longest_retry: timedelta = timedelta(minutes=15)
    #: So many failures in a row open the breaker.
    breaker_failures: int = 5
    #: So long after it has opened one trial is made.
    breaker_pause: timedelta = timedelta(seconds=30)
    #: Of so many last calls this share may fail, at the most.
    breaker_window: int = 50
    breaker_rate: float = 0.5
    #: So long after it works again others go first, so that traffic does not jump back and forth.
    settle: timedelta = timedelta(seconds=60)
    #: Messages a second, of all processes together; None for as fast as it goes.
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """The rules of all providers."""

    default: Rules = Rules()
    #: By channel, then by provider: what differs.
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, channel: str, provider: str) -> Rules:
        """What holds for a provider of a channel."""
        return replace(self.default, **{**self.channels.get(channel, {}), **self.providers.get(provider, {})})

    def max_attempts(self, channel: str, provider: str) -> int:
        """How many tries a provider of a channel allows."""
        return self.of(channel, provider).max_attempts


class WrongRule(ValueError):
    """An item of the rules cannot be used; the message names it and what is allowed."""


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise WrongRule(f"a whole number from {least} to {most} is needed")
        return int(text)

    return read


def _time(text: str) -> timedelta:
    try:
        return duration(text)
    except ArgumentTypeError as error:
        raise WrongRule("a duration such as 45s, 30m, 12h or 2d is needed") from error


def _share(text: str) -> float:
    found = re.fullmatch(r"([1-9][0-9]?|100)%", text, re.ASCII)
    if not found:
        raise WrongRule("a share from 1% to 100% is needed")
    return int(found[1]) / 100


#: Seconds in the units of a rate.
_PER = {"s": 1, "m": 60, "h": 3600}


def _rate(text: str) -> float:
    found = re.fullmatch(r"([1-9][0-9]{0,5})/([smh])", text, re.ASCII)
    if not found:
        raise WrongRule("a rate such as 50/s, 600/m or 10000/h is needed")
    return int(found[1]) / _PER[found[2]]


READERS: dict[str, Callable[[str], Any]] = {
    "max_attempts": _number(1, 50),
    "first_retry": _time,
    "longest_retry": _time,
    "breaker_failures": _number(1, 1000),
    "breaker_pause": _time,
    "breaker_window": _number(5, 10_000),
    "breaker_rate": _share,
    "settle": _time,
    "rate": _rate,
}


def read_rules(text: str, *, max_attempts: int) -> DeliveryRules:
    """The rules as written in the settings. Whether there are such providers is checked later. Raises `WrongRule`."""
    given: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for item in filter(None, (part.strip() for part in text.split(","))):
        owner, rule, value = _parts(item)
        if rule not in READERS:
            raise WrongRule(f"{item!r} names the rule {rule!r}; there are {', '.join(READERS)}.")
        if rule in given[owner]:
            raise WrongRule(f"{item!r} stands there although the rule was given before; keep one of them.")
        try:
            given[owner][rule] = READERS[rule](value)
        except WrongRule as wrong:
            raise WrongRule(f"{item!r} has the value {value!r}; {wrong}.") from wrong
    rules = DeliveryRules(
        default=Rules(max_attempts=max_attempts),
        channels={name: given[name] for name in Channel.values if name in given},
        providers={name: given[name] for name in given if name not in Channel.values},
    )
    _require_sense(rules)
    return rules


def _parts(item: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"([^.=\s]+)\.([^.=\s]+)\s*=\s*(\S+)", item)
    if not found:
        raise WrongRule(f"{item!r} is no rule; <email|push|provider>.<rule>=<value> is needed.")
    return found[1], found[2], found[3]


def _require_sense(rules: DeliveryRules) -> None:
    for channel in Channel.values:
        for provider in ["", *rules.providers]:
            each = rules.of(channel, provider)
            if each.first_retry > each.longest_retry:
                raise WrongRule(
                    f"for {provider or channel} the first_retry of {each.first_retry.total_seconds():.0f}s is longer "
                    f"than the longest_retry of {each.longest_retry.total_seconds():.0f}s."
                )
