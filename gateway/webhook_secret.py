"""The secret with which providers prove that their news is theirs: HTTP basic, the same for all of them."""

import base64
import binascii
import hmac

from gateway.provider_settings import provider_setting


def is_proven(authorization: str) -> bool:
    """Whether this header carries PROVIDER_WEBHOOK_SECRET (RFC 7617); never where no secret is set."""
    secret: str = provider_setting("PROVIDER_WEBHOOK_SECRET")
    kind, _, coded = authorization.partition(" ")
    try:
        given = base64.b64decode(coded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return bool(secret) and kind.lower() == "basic" and hmac.compare_digest(given, secret.encode())
