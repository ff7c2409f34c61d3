"""Same request id: same answer; other body: refused. The table's unique constraint decides, never a cache.

The shared cache only says where to look: a known request id is then answered by one row, without trying to insert it.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from gateway.models import Notification
from gateway.request import AttachmentRequest, NotificationRequest
from users import encryption, shared_cache

#: Clients that repeat themselves do it soon; later ones find the constraint.
REMEMBERED_FOR = timedelta(hours=1)


class RequestIdReused(Exception):
    """The request id belongs to another request; `notification_id` is what it made."""

    def __init__(self, notification_id: UUID) -> None:
        super().__init__(f"This request id was used for notification {notification_id}.")
        self.notification_id = notification_id


#: What two requests with one request id are compared by; the person is left out, who may be named in two ways.
COMPARED = ("channel", "template_code", "variables", "priority", "template_version", "locale", "metadata")
COMPARED_MOMENTS = ("send_at", "expires_at")


def fingerprint(request: NotificationRequest) -> str:
    """The normalised request without the person, keyed: who steals the table cannot try out what was in it."""
    return encryption.fingerprint(_normalised(request), purpose="request")


def _first_fingerprint(request: NotificationRequest) -> str:
    """As it was before it was keyed. Of no use once RECORD_DAYS have passed since that update."""
    return hashlib.sha256(_normalised(request).encode()).hexdigest()


def _normalised(request: NotificationRequest) -> str:
    compared = {name: getattr(request, name) for name in COMPARED}
    for name in COMPARED_MOMENTS:
        moment = getattr(request, name)
        compared[name] = moment.timestamp() if moment else None
    if request.attachments:  # without any it is what it was before there were attachments
        compared["attachments"] = [_compared(each) for each in request.attachments]
    return json.dumps(compared, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _compared(attachment: AttachmentRequest) -> list[str]:
    source = str(attachment.file_id) if attachment.file_id else hashlib.sha256(attachment.content).hexdigest()
    return [source, attachment.filename, attachment.content_type, attachment.content_id]


def remember(stored: Notification) -> None:
    """Say where the notification of a request id is; to be called after the commit."""
    if name := name_of(stored.client, stored.mode, stored.request_id):
        shared_cache.keep_soon(shared_cache.new_slot(name), stored.pk, ttl=REMEMBERED_FOR)


def remembered(client: str, mode: str, request_id: str | None, *, slot: shared_cache.Slot) -> Notification | None:
    """What this request id made before, if the shared cache knows. It may have forgotten; the row is what counts.

    `slot` is what lies under `name_of` it.
    """
    if slot.value is None:
        return None
    return Notification.objects.filter(pk=slot.value, client=client, mode=mode, request_id=request_id).first()


def name_of(client: str, mode: str, request_id: str | None) -> str:
    """Under which name the shared cache says where a request id led; empty without one, where nothing ever lies."""
    return "" if request_id is None else json.dumps(["request", client, mode, request_id])


def earlier(client: str, mode: str, request_id: str | None) -> Notification | None:
    """What this request id made before, if anything."""
    if request_id is None:
        return None
    return earlier_ones(client, mode, {request_id}).get(request_id)


def earlier_ones(client: str, mode: str, request_ids: Collection[str]) -> dict[str | None, Notification]:
    """What these request ids made before, by request id."""
    found = Notification.objects.filter(client=client, mode=mode, request_id__in=request_ids)
    return {each.request_id: each for each in found}


def same_request(found: Notification, request: NotificationRequest, *, user_id: UUID | None) -> Notification:
    """The earlier notification if it came of the same request; raises `RequestIdReused` otherwise.

    `user_id` is our id of the person the request names; None when they are gone by now, then their name is compared.
    """
    is_named = request.user_id == found.user_public_id or request.user_id.lower() == str(found.user_id)
    same_person = user_id == found.user_id or (user_id is None and is_named)
    if same_person and found.fingerprint in (fingerprint(request), _first_fingerprint(request)):
        return found
    raise RequestIdReused(found.pk)
