"""What a callback says: where a notification was at that moment. No address, name, variable or content."""

from typing import Any

from gateway import answers, statuses
from gateway.callback_models import TEST_EVENT, StatusCallback
from gateway.models import Notification
from gateway.statuses import Status
from users.json_text import to_json
from users.masking import mask_text

#: Bytes. Only metadata can be so long: then it is left out.
LONGEST_BODY = 20_000
#: Values of a sentence that may name people, or hold what people wrote.
_PERSONAL = frozenset({"name", "who", "why", "reason"})
#: As the row stands when the callback is owed, and may not stand any more when the body is made.
_KEPT = ("status", "reason", "provider", "attempt_count", "awaits_news", "available_at")


def body_of(callback: StatusCallback) -> str:
    """The JSON text that is signed and sent. The notification, its template and version must have been fetched."""
    if callback.event_type == TEST_EVENT or callback.notification is None:
        return _text(callback, {"callback_id": callback.endpoint_id, "message": "This is a test."})
    data = _data(callback, callback.notification)
    text = _text(callback, data)
    return text if len(text.encode()) <= LONGEST_BODY else _text(callback, data | {"metadata": {}})


def _text(callback: StatusCallback, data: dict[str, Any]) -> str:
    return to_json({"type": callback.event_type, "timestamp": callback.created_at, "data": data}).decode()


def _data(callback: StatusCallback, notification: Notification) -> dict[str, Any]:
    for name in _KEPT:
        setattr(notification, name, getattr(callback, name))
    said = callback.reason_data.items()
    notification.reason_data = {name: value for name, value in said if name not in _PERSONAL}
    if notification.status == Status.SENT:
        notification.sent_at = callback.created_at
    return {
        "notification_id": notification.pk,
        "request_id": notification.request_id,
        "sequence": callback.sequence,
        "status": statuses.PUBLIC[Status(notification.status)],
        "reason": answers.public_reason(notification),
        "detail": mask_text(answers.detail(notification)),
        "final": answers.is_final(notification, now=callback.created_at),
        "notification_type": notification.channel,
        "user_id": notification.user_public_id,
        "template_code": notification.template.code,
        "template_version": notification.template_version.number,
        "provider": notification.provider or None,
        "attempt_count": notification.attempt_count,
        "simulated": notification.is_simulated,
        "batch_id": None,
        "resend_of": None,
        "metadata": notification.metadata,
    }
