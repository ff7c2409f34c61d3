"""Same request id: same answer; other body: refused. The table's unique constraint decides, never a cache."""

import hashlib
import json
from dataclasses import asdict
from uuid import UUID

from gateway.models import Notification
from gateway.request import NotificationRequest


class RequestIdReused(Exception):
    """The request id belongs to another request; `notification_id` is what it made."""

    def __init__(self, notification_id: UUID) -> None:
        super().__init__(f"This request id was used for notification {notification_id}.")
        self.notification_id = notification_id


def fingerprint(request: NotificationRequest) -> str:
    """SHA-256 of the normalised request, without the person, who may be named in two ways."""
    compared = asdict(request)
    del compared["request_id"], compared["user_id"]
    for name in ("send_at", "expires_at"):
        moment = compared[name]
        compared[name] = moment.timestamp() if moment else None
    canonical = json.dumps(compared, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def earlier(client: str, mode: str, request_id: str | None) -> Notification | None:
    """What this request id made before, if anything."""
    if request_id is None:
        return None
    return Notification.objects.filter(client=client, mode=mode, request_id=request_id).first()


def same_request(found: Notification, request: NotificationRequest, *, user_id: UUID | None) -> Notification:
    """The earlier notification if it came of the same request; raises `RequestIdReused` otherwise.

    `user_id` is our id of the person the request names; None when they are gone by now, then their name is compared.
    """
    is_named = request.user_id == found.user_public_id or request.user_id.lower() == str(found.user_id)
    same_person = user_id == found.user_id or (user_id is None and is_named)
    if same_person and fingerprint(request) == found.fingerprint:
        return found
    raise RequestIdReused(found.pk)
