"""The default without settings: keeps the push for the admin's inbox."""

import json
from collections.abc import Iterator, Sequence

from django.db import DatabaseError, OperationalError

from channels_push.message import PushMessage
from channels_push.models import CapturedPush
from gateway.channel_contract import Outcome, SendResult
from templates_app.rendering import RenderedPush


class CaptureProvider:
    """Implements `gateway.channel_contract.Provider`. Push services say nothing more after taking a push."""

    name = "capture"
    reports_delivery = False

    def connect(self) -> None:
        """There is nothing to open."""

    def send(self, messages: Sequence[PushMessage]) -> Iterator[SendResult]:
        """Keep all of them in one statement: all or none."""
        rows = [_row(message) for message in messages]
        try:
            CapturedPush.objects.bulk_create(rows)
        except DatabaseError as error:
            # A connection lost while committing leaves open whether the rows are there.
            outcome = Outcome.UNKNOWN if isinstance(error, OperationalError) else Outcome.TRANSIENT
            detail = f"The inbox could not keep it: {type(error).__name__}."
            for _ in rows:
                yield SendResult(outcome=outcome, error_code="inbox_away", detail=detail)
            return
        for row in rows:
            yield SendResult(outcome=Outcome.ACCEPTED, provider_message_id=str(row.pk))

    def close(self) -> None:
        """There is nothing to close."""


def _row(message: PushMessage) -> CapturedPush:
    words, device = message.words, message.device
    return CapturedPush(
        notification_id=message.notification_id,
        device_id=device.id,
        device_name=device.name,
        platform=device.platform,
        token_tail=device.token[-4:],
        title=words.title[:255],
        body=words.body,
        image=words.image[:2000],
        link=words.link[:2000],
        # What an app needs to report back and to replace an older copy of the same message.
        data=dict(words.data) | {"notification_id": str(message.notification_id)} | _buttons(words),
    )


def _buttons(words: RenderedPush) -> dict[str, str]:
    """As apps get them: data holds text alone."""
    return {"actions": json.dumps([dict(each) for each in words.actions])} if words.actions else {}
