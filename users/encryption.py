"""Secrets at rest: sealed with AES-GCM under a key made from SECRET_KEY, bound to what they belong to.

What is sealed for one purpose and one owner opens for no other. After a change of SECRET_KEY the old key still opens
what it sealed, as long as it stands in SECRET_KEY_FALLBACKS.
"""

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12  # bytes
#: Which form a sealed text has; a later one can be told from it.
_FORM = "v1."


class CannotOpen(Exception):
    """The text was not sealed by this installation for this purpose and owner, or under a key that is gone."""


def key_for(purpose: str, secret_key: str | bytes) -> bytes:
    """32 bytes that serve one purpose only."""
    secret = secret_key if isinstance(secret_key, bytes) else secret_key.encode()
    return hashlib.sha256(purpose.encode() + b":" + secret).digest()


def seal(plain: str, *, purpose: str, owner: str) -> str:
    """`plain` as a text for the database."""
    nonce = os.urandom(NONCE)
    sealed = AESGCM(key_for(purpose, settings.SECRET_KEY)).encrypt(nonce, plain.encode(), owner.encode())
    return _FORM + base64.urlsafe_b64encode(nonce + sealed).decode()


def opened(sealed: str, *, purpose: str, owner: str) -> str:
    """What was sealed. Raises `CannotOpen`."""
    if not sealed.startswith(_FORM):
        raise CannotOpen
    try:
        data = base64.urlsafe_b64decode(sealed.removeprefix(_FORM))
    except ValueError as error:
        raise CannotOpen from error
    for secret_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            cipher = AESGCM(key_for(purpose, secret_key))
            return cipher.decrypt(data[:NONCE], data[NONCE:], owner.encode()).decode()
        except (InvalidTag, ValueError):
            continue
    raise CannotOpen
