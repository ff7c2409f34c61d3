"""What answers and news mean beyond their notification: a dead device is switched off, a dead address blocked."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from gateway.channel_contract import EventType, Outcome, ProviderNews, SendResult
from gateway.models import DeliveryAttempt, Notification
from users.channels import Channel
from users.devices import UNREGISTERED, note_successes, retire_devices
from users.models import Suppression, User
from users.suppressions import suppress_address

#: Reasons that name the device, or the mailbox, as gone; any other refusal is about the message.
TOKEN_GONE, MAILBOX_GONE = "token_invalid", "mailbox_unknown"
#: Notification → why its address is blocked, and the words that prove it.
Proofs = Mapping[UUID, tuple[Suppression.Reason, str]]


def follow_answers(answers: Iterable[tuple[UUID, SendResult]]) -> None:
    """(attempt id, answer). No statement unless an answer is final bad news about the device or address itself."""
    refused = {attempt_id: result for attempt_id, result in answers if result.outcome is Outcome.PERMANENT}
    gone = {pk: result for pk, result in refused.items() if result.reason in (TOKEN_GONE, MAILBOX_GONE)}
    if not gone:
        return
    attempts = DeliveryAttempt.objects.filter(pk__in=gone).values_list("pk", "device_id", "notification_id")
    rows = [(device_id, notification_id, gone[pk]) for pk, device_id, notification_id in attempts]
    retire_devices(
        [device for device, _, result in rows if device and result.reason == TOKEN_GONE], reason=UNREGISTERED
    )
    _block(
        {
            pk: (Suppression.Reason.HARD_BOUNCE, f"{result.provider_code} {result.detail}".strip())
            for _, pk, result in rows
            if result.reason == MAILBOX_GONE
        }
    )


def follow_successes(attempt_ids: Collection[UUID]) -> None:
    """Pushes were taken for the devices of these attempts."""
    accepted = DeliveryAttempt.objects.filter(pk__in=attempt_ids, device_id__isnull=False)
    note_successes(accepted.values("device_id"))


def follow_news(news: Iterable[ProviderNews]) -> None:
    """A bounce for good and a complaint block the address at once."""
    proofs: dict[UUID, tuple[Suppression.Reason, str]] = {}
    for each in news:
        if each.type is EventType.COMPLAINED:
            proofs[each.notification_id] = (Suppression.Reason.COMPLAINT, each.detail)
        elif each.type is EventType.BOUNCED and each.reason == MAILBOX_GONE:
            proofs.setdefault(each.notification_id, (Suppression.Reason.HARD_BOUNCE, each.detail))
    _block(proofs)


def _block(proofs: Proofs) -> None:
    """The addresses of these notifications. Two statements, and a few for each address: they are rare."""
    if not proofs:
        return
    sent = Notification.objects.filter(pk__in=proofs, channel=Channel.EMAIL).values_list("pk", "user_id")
    whose = dict(sent)
    people = User.objects.in_bulk(set(whose.values()))
    for pk, user_id in whose.items():
        reason, evidence = proofs[pk]
        if person := people.get(user_id):  # who was erased meanwhile has no address to block
            suppress_address(address=person.email or "", reason=reason, evidence=evidence, notification_id=pk)
