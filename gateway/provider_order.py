"""Which of a channel's providers are asked, in which order, and who of them share the traffic.

Written as `sendgrid:70,mailgun:30,smtp`. Without weights the order is strict. Those with a weight share what there is
to send, whoever comes after them is asked when those take nothing. Who begins is chosen by the notification's id: a
second try goes to the same provider, which may know it.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import structlog
from django.conf import settings

from gateway.channel_table import channels

log = structlog.stdlib.get_logger(__name__)

#: Keeps messages for the admin's inbox: the only one, and so the default, where nobody has said anything.
CAPTURE = "capture"
MOST_WEIGHT = 1000


@dataclass(frozen=True, slots=True)
class Order:
    """The providers of a channel."""

    names: tuple[str, ...]
    #: For each of the first names, its part of the traffic; empty for a strict order.
    weights: tuple[int, ...] = ()

    def ranked(self, notification_id: UUID, among: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Those of `among` (all), beginning with the one whose turn this notification is."""
        names = self.names if among is None else among
        if not self.weights or len(names) < 2:
            return names
        return _ranked(self, names, zlib.crc32(notification_id.bytes) % _total(self, names))

    def __str__(self) -> str:
        return ",".join(self.words())

    def words(self) -> list[str]:
        """As it is written."""
        weights = [f":{weight}" for weight in self.weights] + [""] * len(self.names)
        return [f"{name}{weight}" for name, weight in zip(self.names, weights, strict=False)]


def read_order(text: str) -> Order:
    """From its written form. Raises ValueError, in words."""
    return order_of([word.strip() for word in text.split(",") if word.strip()])


def order_of(words: Sequence[str]) -> Order:
    """From names with or without a weight. Raises ValueError, in words."""
    names: list[str] = []
    weights: list[int] = []
    for word in words:
        name, colon, weight = word.partition(":")
        if name in names:
            raise ValueError(f"{name!r} stands twice; keep one of them.")
        if colon and not (re.fullmatch("[0-9]{1,4}", weight, re.ASCII) and 1 <= int(weight) <= MOST_WEIGHT):
            raise ValueError(f"{word!r} has no usable weight; a whole number from 1 to {MOST_WEIGHT} is needed.")
        if colon and len(weights) < len(names):
            raise ValueError(f"{word!r} has a weight and stands behind one without; those with a weight come first.")
        names.append(name)
        weights += [int(weight)] if colon else []
    return Order(tuple(names), tuple(weights))


def setting_of(channel: str) -> str:
    """What the order of a channel is called."""
    return f"{channel.upper()}_PROVIDERS"


def given_order(channel: str) -> list[str]:
    """What the environment says; empty where it says nothing."""
    given: list[str] = getattr(settings, setting_of(channel))
    return given


def provider_order(channel: str) -> Order:
    """The order that holds now."""
    from gateway import stored_settings  # noqa: PLC0415  settings.py imports this page before there are models

    if not given_order(channel):
        stored_settings.follow()
    return order_known(channel)


def order_known(channel: str) -> Order:
    """The same as far as this process knows it: it never asks the table, so it may be asked for each message."""
    from gateway import stored_settings  # noqa: PLC0415  as above

    if given := given_order(channel):
        return _order_of(tuple(given))
    stored: Order | None = stored_settings.value(setting_of(channel), _readers()[channel])
    return stored if stored and stored.names else _order_of((CAPTURE,))


def everything_is_captured() -> bool:
    """Whether nothing leaves the house, as in an installation nobody has set up."""
    return all(provider_order(name).names == (CAPTURE,) for name in channels())


_order_of = lru_cache(maxsize=64)(order_of)


@lru_cache(maxsize=1)
def _readers() -> dict[str, "_Reader"]:
    return {name: _Reader(name) for name in channels()}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what is stored for a channel. After a step back to an older version it may name providers unknown here."""

    channel: str

    def __call__(self, text: str) -> Order:
        order, known = read_order(text), channels()[self.channel].provider_fields()
        if unknown := [name for name in order.names if name not in known]:
            log.warning(
                "The stored order names providers this version does not know.",
                action="settings",
                channel=self.channel,
                providers=unknown,
            )
        kept = [word for word in order.words() if word.partition(":")[0] in known]
        # With nobody left they stay: messages wait, which is better than to take another way than was meant.
        return order_of(kept) if kept else order


@lru_cache(maxsize=256)
def _total(order: Order, names: tuple[str, ...]) -> int:
    return sum(weight for _, weight in _weighted(order, names)) or 1


@lru_cache(maxsize=4096)
def _ranked(order: Order, names: tuple[str, ...], place: int) -> tuple[str, ...]:
    for name, weight in _weighted(order, names):
        if place < weight:
            return (name, *(each for each in names if each != name))
        place -= weight
    return names


def _weighted(order: Order, names: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(name, weight) for name, weight in zip(order.names, order.weights, strict=False) if name in names]
