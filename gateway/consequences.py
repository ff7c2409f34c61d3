"""What providers' answers mean beyond their notification: a device that is gone is switched off."""

from collections.abc import Collection, Iterable
from uuid import UUID

from gateway.channel_contract import Outcome, SendResult
from gateway.models import DeliveryAttempt
from users.devices import UNREGISTERED, note_successes, retire_devices

#: The reason of a refusal that names the token as gone.
TOKEN_GONE = "token_invalid"  # noqa: S105  no secret


def follow_answers(answers: Iterable[tuple[UUID, SendResult]]) -> None:
    """(attempt id, answer). No statement unless an answer is final bad news about the address itself."""
    gone = [
        attempt_id
        for attempt_id, result in answers
        if result.outcome is Outcome.PERMANENT and result.reason == TOKEN_GONE
    ]
    if gone:
        devices = DeliveryAttempt.objects.filter(pk__in=gone, device_id__isnull=False).values_list(
            "device_id", flat=True
        )
        retire_devices([pk for pk in devices if pk], reason=UNREGISTERED)


def follow_successes(attempt_ids: Collection[UUID]) -> None:
    """Pushes were taken for the devices of these attempts."""
    accepted = DeliveryAttempt.objects.filter(pk__in=attempt_ids, device_id__isnull=False)
    note_successes(accepted.values("device_id"))
