"""The signatures of mail services on their news: who signs how, and whether one is right. Values in, yes or no out.

A right signature on an old post is refused: somebody may have kept it. How old depends on whether the service signs
anew when it tries again. What is told twice does nothing anyway (`tracking.record_news`).
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from channels_email.webhook_keys import sendgrid_key, svix_secret

#: (key, headers, body, now in seconds since 1970) → whether it is signed.
Check = Callable[[str, Mapping[str, str], bytes, float], bool]
#: Svix signs every try anew, and says five minutes (docs.svix.com/receiving/verifying-payloads/how-manual).
FRESH = timedelta(minutes=5)
#: Mailgun tries again for eight hours, SendGrid for a day; neither says that it signs anew.
RETRIED = timedelta(hours=25)


def is_signed_by_mailgun(key: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """HMAC over time and token, beside the news (documentation.mailgun.com, Webhooks, Securing webhooks).

    The news itself is not under the signature: whoever has seen one post could sign another. HTTP basic covers that.
    """
    try:
        block = json.loads(body)["signature"]
        signed, given = f"{block['timestamp']}{block['token']}", str(block["signature"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return False
    right = hmac.new(key.encode(), signed.encode(errors="replace"), hashlib.sha256).hexdigest()
    return _alike(right, given) and _is_young(str(block["timestamp"]), now, RETRIED)


def is_signed_by_mailtrap(key: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """HMAC over the body, without a time (docs.mailtrap.io, Webhooks, Signature)."""
    right = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return _alike(right, headers.get("Mailtrap-Signature", ""))


def is_signed_by_sendgrid(key: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """ECDSA over time and body (twilio.com/docs/sendgrid, Event Webhook Security Features)."""
    at = headers.get("X-Twilio-Email-Event-Webhook-Timestamp", "")
    given = headers.get("X-Twilio-Email-Event-Webhook-Signature", "")
    try:
        signature = base64.b64decode(given, validate=True)
        sendgrid_key(key).verify(signature, at.encode() + body, ec.ECDSA(hashes.SHA256()))
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return _is_young(at, now, RETRIED)


def is_signed_by_svix(key: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """HMAC over id, time and body; several signatures while the secret changes. Resend's."""
    name, at = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
    digest = hmac.new(svix_secret(key), f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    right = f"v1,{base64.b64encode(digest).decode()}"
    given = headers.get("svix-signature", "").split()
    return bool(name) and any(_alike(right, each) for each in given) and _is_young(at, now, FRESH)


def _alike(right: str, given: str) -> bool:
    return hmac.compare_digest(right.encode(), given.encode(errors="replace"))


def _is_young(at: str, now: float, age: timedelta) -> bool:
    """`at` in seconds since 1970. Clocks may differ by as much in the other direction."""
    return at.isascii() and at.isdigit() and abs(now - int(at)) <= age.total_seconds()
