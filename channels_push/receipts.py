"""Proof that a report is about a push we sent to that very device: who has the push has the proof, nobody else."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

#: Bytes of the seal; the two ids before it have 16 each.
SEAL = 16
_PURPOSE = b"push receipt:"


class ReceiptForged(ValueError):
    """Not made by us, or not whole."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Which push to which device."""

    notification_id: UUID
    device_id: UUID


def receipt_for(*, notification_id: UUID, device_id: UUID) -> str:
    """64 characters that go with the push and come back with a report."""
    ids = notification_id.bytes + device_id.bytes
    return base64.urlsafe_b64encode(ids + _seal(ids)).decode()


def read_receipt(text: str) -> Receipt:
    """Raises `ReceiptForged`."""
    try:
        whole = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ReceiptForged from error
    ids, seal = whole[:-SEAL], whole[-SEAL:]
    if len(ids) != 2 * 16 or not hmac.compare_digest(seal, _seal(ids)):
        raise ReceiptForged
    return Receipt(notification_id=UUID(bytes=ids[:16]), device_id=UUID(bytes=ids[16:]))


def _seal(ids: bytes) -> bytes:
    return hmac.new(settings.SECRET_KEY.encode(), _PURPOSE + ids, hashlib.sha256).digest()[:SEAL]
