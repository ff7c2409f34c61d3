"""How often a client may call: rates such as 5/m or 10/5m, and the policies they belong to."""

import re
from collections.abc import Mapping
from typing import NamedTuple

SECONDS = {"s": 1, "m": 60, "h": 3600}
#: Longer windows would keep a client waiting for hours after one burst.
LONGEST_WINDOW = 3600
_WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{0,4})([smh])")


class Rate(NamedTuple):
    """So many requests within so many seconds."""

    most: int
    seconds: int

    def __str__(self) -> str:
        for letter, length in reversed(SECONDS.items()):
            if self.seconds % length == 0:
                number = self.seconds // length
                return f"{self.most}/{number if number > 1 else ''}{letter}"
        raise AssertionError("every whole number of seconds is one of seconds")

    @property
    def per_second(self) -> float:
        """To compare rates of different windows."""
        return self.most / self.seconds


#: Policies and what holds where nobody says otherwise (section 6 of the API document).
DEFAULT_RATES = {
    "submit": Rate(30_000, 60),
    "batch": Rate(1_200, 60),
    "read": Rate(30_000, 60),
    "manage": Rate(600, 60),
    "login": Rate(30, 60),
    "login_account": Rate(10, 300),
    "register": Rate(20, 60),
    "open": Rate(120, 60),
}
#: Those that count per client, so that a key can have its own.
KEY_POLICIES = ("submit", "batch", "read", "manage")


class WrongRate(ValueError):
    """What was written is no rate of a policy; the message says why and what is."""


def parse_rate(text: str) -> Rate:
    """A rate as people write it. Raises `WrongRate`."""
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise WrongRate(f"{text.strip()!r} is no rate; write it like 5/s, 100/m, 10/5m or 1000/h.")
    count, number, letter = written.groups()
    rate = Rate(int(count), int(number or 1) * SECONDS[letter])
    if rate.most < 1 or not 1 <= rate.seconds <= LONGEST_WINDOW:
        raise WrongRate(f"{text.strip()!r} is no rate we can keep: at least 1 request, within 1 second to 1 hour.")
    return rate


def parse_rates(text: str, *, policies: Mapping[str, Rate] | tuple[str, ...]) -> dict[str, Rate]:
    """`submit=100/m,login=3/m`. Raises `WrongRate`."""
    found = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        policy, equals, rate = part.partition("=")
        if not equals or policy.strip() not in policies:
            raise WrongRate(f"{part!r} names no policy; there are {', '.join(policies)}, such as submit=100/m.")
        found[policy.strip()] = parse_rate(rate)
    return found
