"""What is in hand between claim and record: notifications, their messages, and who carries which."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast
from uuid import UUID

from consumers.preparation import Ready
from consumers.provider_choice import Chosen, starts_after
from gateway.channel_contract import Message, Outcome, Provider, SendResult
from gateway.tracking import AttemptResult

#: Our word for an answer that is not the provider's.
HELD_UP = "held_up"
#: Which of several answers decides what becomes of a notification, as in `verdict_after`.
DECISIVE = (
    Outcome.ACCEPTED,
    Outcome.UNKNOWN,
    Outcome.TRANSIENT,
    Outcome.MISCONFIGURED,
    Outcome.THROTTLED,
    Outcome.PERMANENT,
)

#: Bytes of attachments that are handed over between two commits.
HEAVIEST = 8 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Leg:
    """What goes by one provider in one hand-over. The devices of one person may need several."""

    carriers: tuple[str, ...]
    chosen: Chosen
    tries: list["Try"] = field(default_factory=list)

    @property
    def provider(self) -> Provider:
        """The chosen one, its connection open."""
        return self.chosen.provider


@dataclass(slots=True, eq=False)
class Try:
    """One message on its way, and what came of it."""

    attempt_id: UUID
    message: Message
    leg: Leg
    result: AttemptResult | None = None

    @property
    def answer(self) -> SendResult:
        """Asked for only when there is one: every message that was handed over gets an answer, if only a doubt."""
        return cast(AttemptResult, self.result).result


@dataclass(slots=True)
class InHand:
    """One notification between hand-over mark and record."""

    ready: Ready
    tries: list[Try]
    #: Stand in for messages whose provider takes nothing now: they are still open.
    left_out: list[SendResult]

    @property
    def decisive(self) -> Try:
        """The one whose answer decides."""
        return min(self.tries, key=lambda one: DECISIVE.index(one.answer.outcome))


class TooLate:
    """Stands in for a provider when nothing may be handed over any more: nothing has left, so it may be tried again."""

    reports_delivery = False

    def __init__(self, name: str) -> None:
        self.name = name

    def connect(self) -> None:
        """Nothing to open."""

    def send(self, messages: Sequence[Message]) -> Iterator[SendResult]:
        """Hands nothing over."""
        for _ in messages:
            yield SendResult(
                outcome=Outcome.THROTTLED,
                error_code=HELD_UP,
                detail="The consumer was held up before the hand-over.",
                retry_after=timedelta(0),
            )

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class Way:
    """How notifications go: who may carry their messages, and behind which provider the asking begins."""

    carriers: tuple[tuple[str, ...], ...]
    after: str


def fitting(group: Sequence[Ready], most: int) -> int:
    """How many of them are handed over at once: at most so many, and fewer where mails are heavy; at least one.

    All of them must be through before the lease ends, and a provider may hold them in memory.
    """
    weight = 0
    for count, each in enumerate(group[:most]):
        weight += sum(message.weight for message in each.messages)
        if weight > HEAVIEST and count:
            return count
    return most


def by_way(ready: Sequence[Ready]) -> list[tuple[Way, list[Ready]]]:
    """Usually one group, or one for each provider with a weight. In the order they are taken: from the end."""
    groups: dict[Way, list[Ready]] = {}
    for each in ready:
        carriers = tuple(dict.fromkeys(each.carriers))
        groups.setdefault(Way(carriers, starts_after(each.notification)), []).append(each)
    return list(reversed(groups.items()))
