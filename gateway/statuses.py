"""Where a notification is, which change may happen, and who alone may make it. The only place that knows this table.

The table is docs/explanation/delivery.md; `outbox.py` and `tracking.py` make the changes, each as one guarded UPDATE.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db import models


class Status(models.TextChoices):
    """The state of one notification. The API shows `claimed` and `unknown` as `sending`."""

    ACCEPTED = "accepted", "Accepted"  # stored; waits for available_at
    QUEUED = "queued", "Queued"  # its id is in the broker, or on its way there
    CLAIMED = "claimed", "Preparing"  # a consumer prepares it; may be stolen when its lease is over
    SENDING = "sending", "Sending"  # handed over, no answer yet; never stolen
    UNKNOWN = "unknown", "Unclear"  # the hand-over was cut short: it may have gone out
    SENT = "sent", "Sent"  # the provider took it
    DELIVERED = "delivered", "Delivered"  # the other side confirmed it
    BOUNCED = "bounced", "Bounced"  # it came back
    SUPPRESSED = "suppressed", "Not sent"  # opted out, blocked address, nowhere to send
    CANCELLED = "cancelled", "Cancelled"  # stopped by client or operator
    EXPIRED = "expired", "Expired"  # too late to be useful
    FAILED = "failed", "Failed"  # given up: a dead letter


class Actor(StrEnum):
    """Who may make a change."""

    GATEWAY = "gateway"
    RELAY = "relay"
    CONSUMER = "consumer"
    SWEEPER = "sweeper"
    OPERATOR = "operator"
    CLIENT = "client"
    PROVIDER_NEWS = "provider news"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row of the table: from these statuses to that one, by these actors alone."""

    name: str
    sources: frozenset[Status]
    target: Status
    actors: frozenset[Actor]
    #: The UPDATE names the claim token, so that a holder who was overtaken changes nothing.
    needs_token: bool = False


def _change(
    name: str, sources: set[Status], target: Status, actors: set[Actor], *, needs_token: bool = False
) -> Change:
    return Change(
        name=name, sources=frozenset(sources), target=target, actors=frozenset(actors), needs_token=needs_token
    )


_S, _A = Status, Actor

QUEUE = _change("queue", {_S.ACCEPTED}, _S.QUEUED, {_A.RELAY})
REOPEN = _change("reopen", {_S.QUEUED}, _S.ACCEPTED, {_A.RELAY, _A.SWEEPER})
CLAIM = _change("claim", {_S.ACCEPTED, _S.QUEUED}, _S.CLAIMED, {_A.CONSUMER})
STEAL = _change("steal", {_S.CLAIMED}, _S.CLAIMED, {_A.CONSUMER})
RELEASE = _change("release", {_S.CLAIMED}, _S.ACCEPTED, {_A.CONSUMER}, needs_token=True)
RELEASE_STALLED = _change("release_stalled", {_S.CLAIMED}, _S.ACCEPTED, {_A.SWEEPER})
POSTPONE = _change("postpone", {_S.CLAIMED}, _S.ACCEPTED, {_A.CONSUMER}, needs_token=True)
SUPPRESS = _change("suppress", {_S.CLAIMED}, _S.SUPPRESSED, {_A.CONSUMER}, needs_token=True)
GIVE_UP_EARLY = _change("give_up_early", {_S.CLAIMED}, _S.FAILED, {_A.CONSUMER}, needs_token=True)
SET_ASIDE = _change("set_aside", {_S.CLAIMED}, _S.FAILED, {_A.SWEEPER, _A.CONSUMER})
EXPIRE = _change("expire", {_S.ACCEPTED, _S.QUEUED, _S.CLAIMED}, _S.EXPIRED, {_A.SWEEPER, _A.CONSUMER})
CANCEL = _change("cancel", {_S.ACCEPTED, _S.QUEUED, _S.CLAIMED}, _S.CANCELLED, {_A.CLIENT, _A.OPERATOR})
HAND_OVER = _change("hand_over", {_S.CLAIMED}, _S.SENDING, {_A.CONSUMER}, needs_token=True)
SEND = _change("send", {_S.SENDING}, _S.SENT, {_A.CONSUMER}, needs_token=True)
RETRY = _change("retry", {_S.SENDING}, _S.ACCEPTED, {_A.CONSUMER}, needs_token=True)
GIVE_UP = _change("give_up", {_S.SENDING}, _S.FAILED, {_A.CONSUMER}, needs_token=True)
REFUSE_RECIPIENT = _change("refuse_recipient", {_S.SENDING}, _S.BOUNCED, {_A.CONSUMER}, needs_token=True)
DOUBT = _change("doubt", {_S.SENDING}, _S.UNKNOWN, {_A.CONSUMER}, needs_token=True)
DOUBT_STALLED = _change("doubt_stalled", {_S.SENDING}, _S.UNKNOWN, {_A.SWEEPER})
PROVE_SENT = _change("prove_sent", {_S.UNKNOWN}, _S.SENT, {_A.CONSUMER, _A.PROVIDER_NEWS, _A.OPERATOR})
RESEND_UNKNOWN = _change("resend_unknown", {_S.UNKNOWN}, _S.ACCEPTED, {_A.SWEEPER})
GIVE_UP_UNKNOWN = _change("give_up_unknown", {_S.UNKNOWN}, _S.FAILED, {_A.SWEEPER, _A.OPERATOR})
CONFIRM = _change("confirm", {_S.SENT}, _S.DELIVERED, {_A.PROVIDER_NEWS})
BOUNCE = _change("bounce", {_S.SENT, _S.DELIVERED}, _S.BOUNCED, {_A.PROVIDER_NEWS})
REPLAY = _change("replay", {_S.FAILED}, _S.ACCEPTED, {_A.OPERATOR})

CHANGES: tuple[Change, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Change))

#: The statuses a notification may begin with.
FIRST = frozenset({Status.ACCEPTED, Status.SUPPRESSED})
#: Nothing but late news changes these any more. `sent` is among them only for providers that report nothing further.
FINAL = frozenset(
    {Status.DELIVERED, Status.BOUNCED, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED, Status.FAILED}
)
#: Nothing is sent any more: `retention.py` may delete. A dead letter may have another life, until its time is over too.
ENDED = FINAL | {Status.SENT}
#: A consumer holds these under a lease.
HELD = frozenset({Status.CLAIMED, Status.SENDING})
#: Not yet handed to anybody outside: consent, expiry and cancellation still count.
NOT_HANDED_OVER = frozenset({Status.ACCEPTED, Status.QUEUED, Status.CLAIMED})

#: How the API and its callbacks name the statuses.
PUBLIC = {status: status.value for status in Status} | {Status.CLAIMED: "sending", Status.UNKNOWN: "sending"}


def may_follow(status: Status) -> frozenset[Status]:
    """The statuses that may come right after `status`, whoever makes the change."""
    return frozenset(change.target for change in CHANGES if status in change.sources)
