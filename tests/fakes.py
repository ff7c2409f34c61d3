"""Stand-ins for the outermost edge: a provider that answers as the test says, a broker that brings what it says."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from consumers.brokers.base import Batch
from gateway.channel_contract import Channel, Message, Outcome, ProviderAway, SendResult

#: What a provider does with one message: answer, raise, or whatever a function decides. None: no answer at all.
Answer = SendResult | Exception | Callable[[Message], SendResult] | None

ACCEPTED = SendResult(outcome=Outcome.ACCEPTED, provider_message_id="250-ok")
BUSY = SendResult(
    outcome=Outcome.TRANSIENT, error_code="greylisted", provider_code="451 4.7.1", detail="Come back later."
)
REFUSED = SendResult(
    outcome=Outcome.PERMANENT, provider_code="550 5.1.1", detail="No such mailbox.", reason="mailbox_unknown"
)
CUT_OFF = SendResult(outcome=Outcome.UNKNOWN, error_code="timeout", detail="No answer after the last byte.")
TOO_FAST = SendResult(outcome=Outcome.THROTTLED, provider_code="429")
WRONG_KEY = SendResult(outcome=Outcome.MISCONFIGURED, provider_code="401")


class FakeProvider:
    """Hands out the scripted answers, one per message, and `ACCEPTED` when there are no more of them.

    Like a real one it takes one message after the other: what was never asked for was never handed over.
    """

    def __init__(
        self,
        *answers: Answer,
        name: str = "fake",
        reports_delivery: bool = False,
        connects: Iterable[Exception | Callable[[], None] | None] = (),
    ) -> None:
        self.name = name
        self.reports_delivery = reports_delivery
        self._answers = list(answers)
        #: What the next calls of `connect` raise or do; None for a success.
        self._connects = list(connects)
        #: How many messages each call of `send` brought.
        self.batches: list[int] = []
        #: Every message that reached the provider, in order.
        self.handed_over: list[Message] = []
        #: How many transactions of ours were open at each message; a test's own does not count.
        self.open_transactions: list[int] = []
        self.connect_count = 0
        self.close_count = 0
        self._outside = len(connection.atomic_blocks)

    def connect(self) -> None:
        self.connect_count += 1
        trouble = self._connects.pop(0) if self._connects else None
        if isinstance(trouble, Exception):
            raise trouble
        if trouble is not None:
            trouble()

    def send(self, messages: Sequence[Message]) -> Iterator[SendResult]:
        self.batches.append(len(messages))
        for message in messages:
            self.handed_over.append(message)
            self.open_transactions.append(len(connection.atomic_blocks) - self._outside)
            answer = self._answers.pop(0) if self._answers else ACCEPTED
            if answer is None:
                return
            if isinstance(answer, Exception):
                raise answer
            yield answer if isinstance(answer, SendResult) else answer(message)

    def close(self) -> None:
        self.close_count += 1

    @property
    def ids(self) -> list[UUID]:
        """The notifications it was handed, in order, as often as it was handed them."""
        return [message.notification_id for message in self.handed_over]


def away(detail: str = "Connection refused.", **how: Any) -> ProviderAway:
    """A provider that cannot be reached."""
    return ProviderAway(detail, **how)


class ChannelWith:
    """A real channel whose only providers are the given ones, in order of preference."""

    def __init__(self, channel: Channel, *providers: FakeProvider) -> None:
        self.name = channel.name
        self.build = channel.build
        self.providers = {each.name: each for each in providers}

    def provider_names(self) -> list[str]:
        return list(self.providers)

    def carriers(self, message: Message) -> tuple[str, ...]:
        return tuple(self.providers)

    def load_provider(self, name: str) -> FakeProvider:
        return self.providers[name]


class FakeBroker:
    """Brings the scripted batches, then empty ones; an exception in the script is raised instead."""

    def __init__(
        self, *script: Sequence[UUID] | Batch | Exception, when_empty: Callable[[], None] = lambda: None
    ) -> None:
        self._script = list(script)
        #: Called when the script is used up, for instance to stop the loop.
        self._when_empty = when_empty
        self.acked: list[Batch] = []
        self.receive_count = 0
        self.close_count = 0

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        self.receive_count += 1
        if not self._script:
            self._when_empty()
            return Batch(())
        item = self._script.pop(0)
        if isinstance(item, Exception):
            raise item
        return item if isinstance(item, Batch) else Batch(item, receipt=self.receive_count)

    def ack(self, batch: Batch) -> None:
        self.acked.append(batch)

    def close(self) -> None:
        self.close_count += 1
