"""What a channel and its providers offer to the engine. Channels depend on this page, never this page on a channel.

A provider answers with a value; vendor exceptions end inside its adapter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from gateway.provider_settings import ProviderField
from templates_app.variables import CONTROL_CHARACTERS
from users.masking import mask_text
from users.recipients import CategoryRules, Recipient

#: Characters of a provider's words that are kept.
DETAIL_LENGTH = 500
#: Characters of the other texts of an answer, as wide as their columns.
LENGTHS = {"provider_message_id": 200, "error_code": 50, "provider_code": 50, "detail": DETAIL_LENGTH}
#: A longer wait than this is no wait a provider means.
LONGEST_RETRY_AFTER = timedelta(days=30)


def storable(text: str, length: int) -> str:
    """A provider's words as every database takes them: without NUL, halves of surrogate pairs and other controls."""
    return CONTROL_CHARACTERS.sub("", text)[:length]


def said(text: str) -> str:
    """A provider's words as they are kept: providers like to repeat the address they were given."""
    return storable(mask_text(text) if text else "", DETAIL_LENGTH)


class Outcome(StrEnum):
    """What came of one attempt."""

    #: The provider took responsibility.
    ACCEPTED = "accepted"
    #: Trouble, try again.
    TRANSIENT = "transient"
    #: Too fast: try again after a while, no attempt is used up.
    THROTTLED = "throttled"
    #: Never again.
    PERMANENT = "permanent"
    #: Our mistake (key, sender, domain): no attempt is used up, operators are told.
    MISCONFIGURED = "misconfigured"
    #: The hand-over was cut short: the provider may or may not have it.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """A provider's answer about one message."""

    outcome: Outcome
    #: The provider's name for the message, empty if it gives none.
    provider_message_id: str = ""
    #: Our word for the trouble, such as greylisted; empty when accepted.
    error_code: str = ""
    #: The provider's own code, such as "451 4.7.1".
    provider_code: str = ""
    #: The provider's words; addresses in them are masked, at most `DETAIL_LENGTH` characters are kept.
    detail: str = ""
    #: When the provider says how long to wait; at most `LONGEST_RETRY_AFTER`.
    retry_after: timedelta | None = None
    #: For permanent: the reason of the catalogue the notification ends with.
    reason: str = "rejected"
    #: For misconfigured: False when only this one message or device is concerned, so that the breaker stays closed.
    concerns_all: bool = True

    def __post_init__(self) -> None:
        # An answer that cannot be stored would be a doubt, and the message sent again.
        for name, length in LENGTHS.items():
            if text := getattr(self, name):  # of a success most are empty
                object.__setattr__(self, name, storable(text, length) if name != "detail" else said(text))
        if self.retry_after is not None:
            wait = min(max(self.retry_after, timedelta(0)), LONGEST_RETRY_AFTER)
            object.__setattr__(self, "retry_after", wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel hands a provider: one message to one address or device. Channels add their own fields."""

    notification_id: UUID
    #: None for e-mail.
    device_id: UUID | None = None
    #: The same over all attempts of a notification.
    message_id: str
    correlation_id: str = ""
    #: What the simulator plays (gateway/simulation.py); empty for a message that is to leave the house.
    simulated_as: str = ""
    #: How often the notification was handed over before.
    earlier_tries: int = 0
    #: Bytes it has besides its words, which are small.
    weight: int = 0


class FileAway(Exception):
    """A file that is to go with a message cannot be had: now (`TRANSIENT`), or ever (`PERMANENT`)."""

    def __init__(self, detail: str, *, outcome: Outcome) -> None:
        super().__init__(detail)
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingFile:
    """A file that goes with a message. Its bytes are read when the message is handed over, not before."""

    filename: str
    #: Without parameters, such as application/pdf.
    content_type: str
    #: Bytes.
    size: int
    #: For an image inside the mail: the X of `cid:X`.
    content_id: str = ""
    #: Gives the bytes, or raises `FileAway`.
    read: Callable[[], bytes]


class ProviderAway(Exception):
    """A provider cannot be reached or refused us before anything was handed over; `outcome` says how bad it is."""

    def __init__(self, detail: str, *, outcome: Outcome = Outcome.TRANSIENT, retry_after: timedelta | None = None):
        super().__init__(said(detail))
        self.outcome = outcome
        self.retry_after = retry_after

    def result(self) -> SendResult:
        """As the answer about a message that was not handed over because of it."""
        return SendResult(
            outcome=self.outcome, error_code="not_handed_over", detail=str(self), retry_after=self.retry_after
        )


class EventType(StrEnum):
    """Later news about a message, in django-anymail's words."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    #: Told the provider, by its own link or list, that they want no more of this.
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderNews:
    """One piece of later news from a provider. Providers repeat themselves: `event_id` says what is the same."""

    provider: str
    #: Unique per provider, at most 200 characters.
    event_id: str
    notification_id: UUID
    type: EventType
    occurred_at: datetime | None = None
    #: For bounced: the reason of the catalogue.
    reason: str = "bounced"
    #: The provider's words, of a delivery the receiving domain; addresses are masked, `DETAIL_LENGTH` characters kept.
    detail: str = ""
    #: Of a push: the device itself has it.
    is_from_device: bool = False
    #: For bounced: the code behind it, such as "550 5.1.1".
    code: str = ""
    #: For bounced and complained: False where it proves nothing of the person's address, which is then never blocked:
    #: it was passed on to another, our own sender was refused, or anybody could have said so.
    is_about_address: bool = True

    def __post_init__(self) -> None:
        # News that cannot be stored would be told again and again.
        object.__setattr__(self, "detail", said(self.detail))


class Provider(Protocol):
    """One service that takes messages. One instance per sender thread."""

    name: str
    #: False for services that say nothing more after taking a message: `sent` is then final.
    reports_delivery: bool

    def connect(self) -> None:
        """All that may fail before the hand-over: address, TLS, credentials. Raises `ProviderAway`."""

    def send(self, messages: Sequence[Any]) -> Iterator[SendResult]:
        """Hand over `messages`, yielding one result each, in order, as soon as it is known."""

    def close(self) -> None:
        """Let go of connections. May be called twice."""


@runtime_checkable
class CheckedProvider(Protocol):
    """A provider that can be asked whether it takes our credentials."""

    def check(self, to: str) -> SendResult:
        """Without `to` nothing is sent. A refusal that is only about the receiver shows that we were let in."""

    def close(self) -> None:
        """As of `Provider`."""


class NewsAway(Exception):
    """News cannot be fetched at the moment; the message says why, and holds no secret."""


class NewsSource(Protocol):
    """A provider that keeps its news until somebody asks (the inbox of captured messages, a bounce mailbox)."""

    def collect_news(self, limit: int) -> list[ProviderNews]:
        """News that nobody has confirmed yet. Raises `NewsAway`."""

    def confirm_news(self, news: Iterable[ProviderNews]) -> None:
        """These are recorded and need not be told again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPlace:
    """Where news waits apart from any provider, such as a mailbox at another server, which may be slow."""

    source: NewsSource
    #: Between two looks.
    every: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a channel cannot make a message; a reason of the catalogue and the values of its sentence."""

    reason: str
    data: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All a channel needs to make the messages of one notification."""

    notification_id: UUID
    message_id: str
    correlation_id: str
    recipient: Recipient
    #: The rendered words: `RenderedEmail` or `RenderedPush`.
    words: Any
    locale: str
    category: CategoryRules
    template_code: str = ""
    files: tuple[OutgoingFile, ...] = ()
    #: Devices that already have a final answer and get nothing more.
    settled_devices: frozenset[UUID] = frozenset()
    #: 0 to 10 (gateway/priorities.py).
    priority: int = 5
    #: For so long it is of use; a service that keeps messages for devices that are away gives up then.
    time_to_live: timedelta = timedelta(hours=72)
    #: Nothing of it leaves the house, whoever the recipient is.
    is_simulated: bool = False
    #: How often it was handed over before.
    earlier_tries: int = 0


class UnknownProvider(Exception):
    """A provider's name stands in the settings, but no such provider exists for the channel."""


class Channel(Protocol):
    """One way to reach a person: makes messages out of words, knows its providers."""

    name: str

    def provider_fields(self) -> Mapping[str, tuple[ProviderField, ...]]:
        """Every provider there is for this channel, in use or not, and what each needs to know."""

    def provider_names(self) -> list[str]:
        """The configured providers, in order of preference."""

    def news_places(self) -> Mapping[str, NewsPlace]:
        """Where else news is to be fetched from, by name."""

    def load_provider(self, name: str) -> Provider:
        """A fresh instance of a provider; its library is imported only now. Raises `UnknownProvider`."""

    def carriers(self, message: Any) -> tuple[str, ...]:
        """Those of the configured providers that can carry this message, in order; of a simulated one the simulator.

        Asks no database: it is called for each message.
        """

    def build(self, order: Order) -> Sequence[Message] | Refusal:
        """The messages of one notification: one for an e-mail, one per device for a push."""
