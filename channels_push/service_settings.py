"""What the settings of push services say, read once. Secrets are never repeated, not even in an error."""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

FCM_URL = "https://fcm.googleapis.com"
ONESIGNAL_URL = "https://api.onesignal.com"
#: What of a service account's file is needed.
NEEDED = ("project_id", "client_email", "private_key", "token_uri")
#: Bytes of a private key of the curve P-256.
KEY_BYTES = 32


def read_service_account(text: str) -> dict[str, Any]:
    """The JSON of a Google service account, or the path of the file with it; empty for none. Raises ValueError."""
    if not text:
        return {}
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ValueError("neither JSON nor a file that can be read; give the service account's file.") from None
    return read_service_account_json(text)


def read_service_account_json(text: str) -> dict[str, Any]:
    """The JSON of a Google service account. Raises ValueError."""
    try:
        account = json.loads(text)
    except ValueError:
        raise ValueError("this is not JSON; give the service account's file as Firebase made it.") from None
    missing = [name for name in NEEDED if not (isinstance(account, dict) and account.get(name))]
    if missing or account.get("type") != "service_account":
        raise ValueError(f"this is no service account: {', '.join(missing) or 'type'} is missing or wrong.")
    return dict(account)


def service_account_hint(text: str) -> str:
    """By what people recognise an account."""
    account = read_service_account_json(text)
    return f"{account['client_email']} ({account['project_id']})"


def read_vapid_key(text: str) -> str:
    """The private key of Web Push: base64 of its 32 bytes, as `make_vapid_key` gives it. Raises ValueError."""
    if text:
        vapid_key(text)
    return text


def vapid_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The key itself. Raises ValueError."""
    try:
        raw = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
        if len(raw) != KEY_BYTES:
            raise ValueError
        return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except (binascii.Error, ValueError):
        raise ValueError("this is no VAPID key; make one with `manage.py make_vapid_key`.") from None


def vapid_public_key(text: str) -> str:
    """What a browser needs to subscribe: the public point in base64, as `PushManager.subscribe` takes it."""
    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    point = vapid_key(text).public_key().public_bytes(encoding, form)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def new_vapid_key() -> str:
    """A fresh private key."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(KEY_BYTES, "big")).rstrip(b"=").decode()


def read_vapid_subject(text: str) -> str:
    """Whom a push service can ask about our pushes. Raises ValueError."""
    if text and not text.startswith(("mailto:", "https://")):
        raise ValueError("mailto:somebody@example.com or an address that begins with https:// is needed.")
    return text
