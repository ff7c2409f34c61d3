"""Simulated recipients and the provider that plays them: what happens is told by a word. Nothing leaves the house.

Simulated is every message of a test key, to an address at simulator.test, or to a device token beginning with `sim-`.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from gateway.channel_contract import EventType, Message, Order, Outcome, ProviderNews, SendResult
from gateway.time_scale import scaled
from users.channels import Channel
from users.device_tokens import SIMULATED_PREFIX
from users.recipients import DeviceTarget, Recipient
from users.suppressions import SIMULATOR as AT_SIMULATOR

#: The provider's name. No setting can name it: messages come to it for what they are.
SIMULATOR = "simulator"
#: What happens when no word says otherwise.
DELIVERED = "delivered"
BOTH = ("slow", "retry", "throttle", "temp-fail", "perm-fail", "timeout")
WORDS = {
    Channel.EMAIL: frozenset({*BOTH, "bounce", "soft-bounce", "complaint"}),
    Channel.PUSH: frozenset({*BOTH, "unregistered"}),
}
#: How long the slow one takes, and the pause `throttle` asks for.
SLOW, PAUSE = scaled(timedelta(seconds=5)), timedelta(seconds=2)
#: So often `retry` fails before it is taken.
RETRIES = 2

TAKEN = SendResult(outcome=Outcome.ACCEPTED, provider_message_id="simulated")
TRANSIENT = SendResult(
    outcome=Outcome.TRANSIENT,
    error_code="simulated",
    provider_code="451",
    detail="The simulator fails for now, as address or token asks.",
)
THROTTLED = SendResult(
    outcome=Outcome.THROTTLED,
    error_code="simulated",
    provider_code="429",
    detail="The simulator asks for a pause.",
    retry_after=PAUSE,
)
REFUSED = SendResult(
    outcome=Outcome.PERMANENT, error_code="simulated", provider_code="550", detail="The address or token asks for this."
)
DOUBTFUL = SendResult(
    outcome=Outcome.UNKNOWN, error_code="simulated", detail="The simulator gives no answer after the last byte."
)
UNREGISTERED = SendResult(
    outcome=Outcome.PERMANENT,
    error_code="simulated",
    provider_code="404",
    detail="The simulator does not know this token any more.",
    reason="token_invalid",
)
#: Word → the news that follow a mail that was taken: what, the reason of a bounce, the words.
NEWS: dict[str, tuple[tuple[EventType, str, str], ...]] = {
    "bounce": ((EventType.BOUNCED, "mailbox_unknown", "The simulator has no such mailbox."),),
    "soft-bounce": ((EventType.BOUNCED, "mailbox_full", "The simulator's mailbox is full."),),
    "complaint": (
        (EventType.DELIVERED, "", "simulator.test"),
        (EventType.COMPLAINED, "", "The simulator calls it spam."),
    ),
}
DELIVERY_NEWS = ((EventType.DELIVERED, "", "simulator.test"),)


def is_simulated(recipient: Recipient, *, channel: str) -> bool:
    """Whether nothing to this person leaves the house, whosever key asks for it: a push when all devices are such."""
    if channel == Channel.EMAIL:
        return _is_simulators(recipient.email)
    return bool(recipient.devices) and all(_is_simulated_token(each.token) for each in recipient.devices)


def mail_word(order: Order) -> str:
    """What happens to the mail; empty when it is to leave the house."""
    address = order.recipient.email
    if not _is_simulators(address):
        return DELIVERED if order.is_simulated else ""
    word = address.rpartition("@")[0].partition("+")[0].lower()
    return word if word in WORDS[Channel.EMAIL] else DELIVERED


def push_word(order: Order, device: DeviceTarget) -> str:
    """What happens to the push to this device; empty when it is to leave the house."""
    if not _is_simulated_token(device.token):
        return DELIVERED if order.is_simulated else ""
    said = device.token.removeprefix(SIMULATED_PREFIX) + "-"
    return next((word for word in WORDS[Channel.PUSH] if said.startswith(f"{word}-")), DELIVERED)


def _is_simulators(address: str) -> bool:
    return address.strip().lower().rstrip(".").endswith(AT_SIMULATOR)


def _is_simulated_token(token: str) -> bool:
    return token.startswith(SIMULATED_PREFIX)


def answer_to(word: str, *, earlier_tries: int) -> SendResult:
    """What the provider says after so many earlier hand-overs."""
    match word:
        case "retry" if earlier_tries < RETRIES:
            return TRANSIENT
        case "throttle" if not earlier_tries:
            return THROTTLED
        case "timeout" if not earlier_tries:
            return DOUBTFUL
        case "temp-fail":
            return TRANSIENT
        case "perm-fail":
            return REFUSED
        case "unregistered":
            return UNREGISTERED
    return TAKEN


def news_after(taken: Collection[Message]) -> list[ProviderNews]:
    """What is reported about mails that were taken; push services say nothing more. Record it after their outcome."""
    return [
        ProviderNews(
            provider=SIMULATOR,
            event_id=f"{message.notification_id}:{message.earlier_tries}:{kind}",
            notification_id=message.notification_id,
            type=kind,
            reason=reason,
            detail=detail,
        )
        for message in taken
        if message.device_id is None
        for kind, reason, detail in NEWS.get(message.simulated_as, DELIVERY_NEWS)
    ]


class SimulatorProvider:
    """Implements `gateway.channel_contract.Provider` for one channel."""

    name = SIMULATOR

    def __init__(self, channel: str) -> None:
        self.reports_delivery = channel == Channel.EMAIL

    def connect(self) -> None:
        """There is nothing to open."""

    def send(self, messages: Sequence[Message]) -> Iterator[SendResult]:
        """The answer of each one's word. The slow ones among them are slow together: neighbours wait only once."""
        if any(message.simulated_as == "slow" for message in messages):
            time.sleep(SLOW.total_seconds())
        for message in messages:
            yield answer_to(message.simulated_as, earlier_tries=message.earlier_tries)

    def close(self) -> None:
        """There is nothing to close."""
