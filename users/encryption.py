"""Secrets at rest: sealed with AES-GCM under the first of ENCRYPTION_KEYS, bound to what they belong to.

What is sealed for one purpose and one owner opens for no other. Every key of the ring opens what it has sealed, so a
new one is put in front, and the old one goes when `rotate_encryption_keys` has left nothing under it.

What must be found again although it is sealed has a fingerprint beside it, made under BLIND_INDEX_KEY: equal texts have
equal fingerprints, and nobody without the key can tell or try out which text it is.
"""

import binascii
import hashlib
import hmac
import os
import unicodedata
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from users.key_ring import EncryptionKey

NONCE = 12  # bytes
#: The forms a sealed text has: `v2.<key id>.<base64>`, and `v1.<base64>` from when SECRET_KEY was the key.
_FORM, _FIRST_FORM = "v2.", "v1."


class CannotOpen(Exception):
    """The text was not sealed by this installation for this purpose and owner, or under a key that is gone."""


def seal(plain: str, *, purpose: str, owner: str = "") -> str:
    """`plain` as a text for the database."""
    return seal_bytes(plain.encode(), purpose=purpose, owner=owner)


def seal_bytes(plain: bytes, *, purpose: str, owner: str = "") -> str:
    """The same for what is no text."""
    if not settings.ENCRYPTION_KEYS:
        raise ImproperlyConfigured("ENCRYPTION_KEYS is not set: nothing can be stored encrypted.")
    key = settings.ENCRYPTION_KEYS[0]
    nonce = os.urandom(NONCE)
    sealed = nonce + _cipher(key, purpose).encrypt(nonce, plain, owner.encode())
    return f"{_FORM}{key.id}.{binascii.b2a_base64(sealed, newline=False).decode()}"


def opened(sealed: str, *, purpose: str, owner: str = "") -> str:
    """What was sealed. Raises `CannotOpen`."""
    return opened_bytes(sealed, purpose=purpose, owner=owner).decode()


def opened_bytes(sealed: str, *, purpose: str, owner: str = "") -> bytes:
    """The same for what is no text."""
    form, key_id, coded = _parts(sealed)
    try:
        data = binascii.a2b_base64(coded)
        nonce, rest, bound_to = data[:NONCE], data[NONCE:], owner.encode()
        if form == _FORM:
            return _cipher(_key(key_id), purpose).decrypt(nonce, rest, bound_to)
        return _opened_in_first_form(nonce, rest, bound_to, purpose)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(
            f"What was sealed as {purpose!r} does not open: it was changed, or belongs elsewhere."
        ) from error


def newest_prefix() -> str:
    """How every text begins that is sealed under the first key of the ring."""
    return f"{_FORM}{settings.ENCRYPTION_KEYS[0].id}."


def blind_index(text: str) -> str:
    """By what a sealed text is found again, however its letters are written: 64 hexadecimal digits."""
    return fingerprint(unicodedata.normalize("NFC", text.strip()).lower(), purpose="text")


def fingerprint(text: str, *, purpose: str) -> str:
    """The same of a text taken as it is; equal for equal texts of one purpose only."""
    if not settings.BLIND_INDEX_KEY:
        raise ImproperlyConfigured("BLIND_INDEX_KEY is not set: what is stored encrypted could not be found again.")
    message = f"{purpose}:{text}".encode()
    return hmac.digest(settings.BLIND_INDEX_KEY.encode(), message, "sha256").hex()


def _parts(sealed: str) -> tuple[str, str, str]:
    """Form, key id (empty in the first form), base64. Raises `CannotOpen`."""
    if sealed.startswith(_FORM):
        key_id, dot, coded = sealed[len(_FORM) :].partition(".")
        if dot:
            return _FORM, key_id, coded
    if sealed.startswith(_FIRST_FORM):
        return _FIRST_FORM, "", sealed[len(_FIRST_FORM) :].translate(_FROM_URL_SAFE)
    raise CannotOpen("This was never sealed.")


_FROM_URL_SAFE = str.maketrans("-_", "+/")


def _key(key_id: str) -> EncryptionKey:
    for key in settings.ENCRYPTION_KEYS:
        if key.id == key_id:
            return key
    raise CannotOpen(f"The key {key_id!r} is not among ENCRYPTION_KEYS.")


@lru_cache(maxsize=256)
def _cipher(key: EncryptionKey, purpose: str) -> AESGCM:
    """A key of its own for each purpose: no key comes near the number of random nonces it can bear."""
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"notify:" + purpose.encode()).derive(key.secret.encode()))


def _opened_in_first_form(nonce: bytes, rest: bytes, bound_to: bytes, purpose: str) -> bytes:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _first_cipher(purpose, secret).decrypt(nonce, rest, bound_to)
        except InvalidTag:
            continue
    raise CannotOpen("Neither SECRET_KEY nor SECRET_KEY_FALLBACKS opens this.")


@lru_cache(maxsize=16)
def _first_cipher(purpose: str, secret: str) -> AESGCM:
    return AESGCM(hashlib.sha256(f"{purpose}:{secret}".encode()).digest())
