"""Use cases: a client says where and of what it wants to be told, asks for a test, for what it missed, for the end."""

import base64
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from gateway import outbound_http
from gateway.callback_models import DEFAULT_EVENTS, TEST_EVENT, CallbackEndpoint, StatusCallback
from gateway.callback_posts import resume
from gateway.many_rows import insert_all
from users import encryption, lately

#: Endpoints per client and mode.
MOST_ENDPOINTS = 10
#: So long both secrets sign after a rotation.
BOTH_SIGN_FOR = timedelta(hours=24)
#: Callbacks sent anew by one request.
MOST_REPLAYED = 10_000
SECRET_PREFIX = "whsec_"  # noqa: S105  what every secret begins with
_SECRET_BYTES = 32
_PURPOSE = CallbackEndpoint.sealed_for_row["secret"]


class TooManyEndpoints(Exception):
    """The client has as many as it may have."""


def create_endpoint(
    *, client: str, mode: str, url: str, events: Sequence[str] | None = None, description: str = ""
) -> tuple[CallbackEndpoint, str]:
    """A new endpoint and its secret, which nobody can see again. Raises `AddressRefused`, `TooManyEndpoints`."""
    outbound_http.check_address(url)
    plain = _new_secret()
    pk = uuid7()
    with transaction.atomic():
        # Two at once wait here for each other, where the client has any.
        own = CallbackEndpoint.objects.filter(client=client, mode=mode).select_for_update().order_by("pk")
        if len(own.values_list("pk")) >= MOST_ENDPOINTS:
            raise TooManyEndpoints
        endpoint = CallbackEndpoint(
            id=pk,
            client=client,
            mode=mode,
            url=url,
            description=description,
            events=list(dict.fromkeys(events or DEFAULT_EVENTS)),
            secret=_sealed(plain, pk),
        )
        endpoint.save(force_insert=True)
        lately.forget()
    endpoint.refresh_from_db()
    return endpoint, plain


def change_endpoint(endpoint: CallbackEndpoint, changes: Mapping[str, Any]) -> CallbackEndpoint:
    """Another address, other events; `enabled` true starts it again, and what it is owed. Raises `AddressRefused`."""
    if "url" in changes:
        outbound_http.check_address(changes["url"])
    columns = dict(changes)
    if "enabled" in changes:
        # Whoever switches it off or on decides anew; what we had decided is forgotten.
        columns |= {"disabled_reason": "", "failing_since": None}
    with transaction.atomic():
        locked = CallbackEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        CallbackEndpoint.objects.filter(pk=endpoint.pk).update(**columns, updated_at=Now())
        if changes.get("enabled") and not locked.enabled:
            resume(locked.deliveries.filter(state=StatusCallback.State.PENDING))
        lately.forget()
    endpoint.refresh_from_db()
    return endpoint


@transaction.atomic
def delete_endpoint(endpoint: CallbackEndpoint) -> None:
    """Nothing is sent there any more, and nothing of it is kept."""
    endpoint.delete()
    lately.forget()


def rotate_secret(endpoint: CallbackEndpoint) -> tuple[str, datetime]:
    """A new secret, and until when the old one signs beside it."""
    plain = _new_secret()
    with transaction.atomic():
        locked = CallbackEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        locked.previous_secret, locked.secret = locked.secret, _sealed(plain, locked.pk)
        CallbackEndpoint.objects.filter(pk=locked.pk).update(
            secret=locked.secret,
            previous_secret=locked.previous_secret,
            previous_valid_until=Now() + BOTH_SIGN_FOR,
            updated_at=Now(),
        )
    endpoint.refresh_from_db()
    if endpoint.previous_valid_until is None:
        raise CallbackEndpoint.DoesNotExist
    return plain, endpoint.previous_valid_until


def signing_secrets(endpoint: CallbackEndpoint, now: datetime) -> list[str]:
    """The secrets that sign at that moment, the newest first. Raises `users.encryption.CannotOpen`."""
    sealed = [endpoint.secret]
    if endpoint.previous_secret and endpoint.previous_valid_until and now < endpoint.previous_valid_until:
        sealed.append(endpoint.previous_secret)
    return [encryption.opened(each, purpose=_PURPOSE, owner=str(endpoint.pk)) for each in sealed]


def owe_test(endpoint: CallbackEndpoint) -> StatusCallback:
    """A callback of type `callback.test`, whatever the endpoint asks for."""
    callback = StatusCallback(id=uuid7(), endpoint=endpoint, event_type=TEST_EVENT)
    insert_all([callback])
    return StatusCallback.objects.get(pk=callback.pk)


def resend_these(ids: Collection[UUID]) -> int:
    """Once more, under the same ids, with a new schedule. Returns how many."""
    return resume(StatusCallback.objects.filter(pk__in=ids))


def replay(endpoint: CallbackEndpoint, *, created_after: datetime, created_before: datetime, state: str) -> int:
    """Send anew what the endpoint was owed in that time. Returns how many, the oldest first, at most a bound."""
    meant = endpoint.deliveries.filter(state=state, created_at__gte=created_after, created_at__lt=created_before)
    return resend_these(list(meant.order_by("id").values_list("pk", flat=True)[:MOST_REPLAYED]))


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _sealed(plain: str, pk: UUID) -> str:
    return encryption.seal(plain, purpose=_PURPOSE, owner=str(pk))
