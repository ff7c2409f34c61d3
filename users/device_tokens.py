"""What may be registered as a device: the shape of each provider's tokens, and whether an endpoint may be called."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from django.conf import settings

from users.models import Device
from users.public_addresses import AddressRefused, NameNotFound, allowed_addresses

_TOKEN = re.compile(r"[A-Za-z0-9_:.\-]{8,4096}")
#: Such devices are the simulator's: nothing is sent to them (docs/how_to/test_safely.md).
SIMULATED_PREFIX = "sim-"
#: Bytes of the shared secret of a Web Push subscription (RFC 8291, section 3.2).
AUTH_BYTES = 16
LONGEST_ENDPOINT = 2000
HTTPS_PORT = 443
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class TokenRefused(ValueError):
    """It can be no device; `place` says where in the request, the words what is needed."""

    def __init__(self, place: tuple[str, ...], words: str) -> None:
        super().__init__(words)
        self.place = place


def check_token(provider: str, token: str) -> None:
    """Raises `TokenRefused` for what the provider can never have given out."""
    if provider == Device.Provider.ONESIGNAL and not token.startswith(SIMULATED_PREFIX):
        with suppress(ValueError):
            if str(UUID(token)) == token.lower():
                return
        raise TokenRefused(("token",), "OneSignal's subscription id is a UUID.")
    if not _TOKEN.fullmatch(token):
        raise TokenRefused(("token",), "A token has 8 to 4,096 characters: letters, digits and _ : . -")


def read_subscription(subscription: Any) -> str:
    """What a browser's `PushSubscription.toJSON()` says, as we keep it. Raises `TokenRefused`."""
    if not isinstance(subscription, Mapping):
        raise TokenRefused(("subscription",), "Use the object the browser gives: endpoint and keys.")
    keys = subscription.get("keys")
    if not isinstance(keys, Mapping):
        raise TokenRefused(("subscription", "keys"), "This holds p256dh and auth.")
    endpoint = _checked_endpoint(subscription.get("endpoint"))
    point, secret = _decoded(keys, "p256dh"), _decoded(keys, "auth")
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError as error:
        raise TokenRefused(("subscription", "keys", "p256dh"), "This is no point of the curve P-256.") from error
    if len(secret) != AUTH_BYTES:
        raise TokenRefused(("subscription", "keys", "auth"), f"This must have {AUTH_BYTES} bytes.")
    return json.dumps({"endpoint": endpoint, "keys": {"p256dh": _coded(point), "auth": _coded(secret)}})


def _checked_endpoint(endpoint: Any) -> str:
    place = ("subscription", "endpoint")
    if not isinstance(endpoint, str) or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        raise TokenRefused(place, "Use the address the browser gives.")
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port or HTTPS_PORT
    except ValueError as error:
        raise TokenRefused(place, "This is no address.") from error
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in THIS_MACHINE and _may_be_played())
    if not is_safe or not host or parts.username is not None or len(endpoint) > LONGEST_ENDPOINT:
        raise TokenRefused(place, f"Use an address that begins with https://, up to {LONGEST_ENDPOINT} characters.")
    # A name that does not resolve now may do so later; it is judged again at every push.
    with suppress(NameNotFound):
        try:
            allowed_addresses(host, port)
        except AddressRefused as refused:
            raise TokenRefused(place, str(refused)) from refused
    return endpoint


def _may_be_played() -> bool:
    """Whether a push service of this machine may take the place of a browser's own: for development only."""
    return bool(settings.IS_LOCAL and settings.CALLBACK_ALLOW_HTTP and settings.CALLBACK_ALLOW_PRIVATE)


def _decoded(keys: Mapping[str, Any], name: str) -> bytes:
    value = keys.get(name)
    with suppress(binascii.Error, ValueError):
        if isinstance(value, str) and value:
            text = value.rstrip("=")
            return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    raise TokenRefused(("subscription", "keys", name), "Use base64 as the browser gives it.")


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
