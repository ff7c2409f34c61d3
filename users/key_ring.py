"""The keys under which personal data lies encrypted: the first one encrypts, every one of them opens."""

import hashlib
import re
from typing import NamedTuple

#: Characters of a secret. 32 of base64 are 192 bits.
SHORTEST_SECRET = 32
_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


class EncryptionKey(NamedTuple):
    """One key of the ring."""

    #: Stands in front of everything it has sealed.
    id: str
    secret: str

    def __repr__(self) -> str:
        """Never the secret: settings are printed on error pages."""
        return f"EncryptionKey({self.id!r})"


def read_keys(text: str) -> tuple[EncryptionKey, ...]:
    """Keys of the form `id:secret`, or `secret` alone, separated by commas. Raises ValueError, which repeats no secret.

    A secret without an id is given one made from it.
    """
    keys = [_read_key(number, part.strip()) for number, part in enumerate(text.split(","), start=1) if part.strip()]
    ids = [key.id.lower() for key in keys]  # SQLite finds texts by their beginning without regard to case
    if twice := next((key.id for key in keys if ids.count(key.id.lower()) > 1), None):
        raise ValueError(f"the id {twice!r} stands twice, capitals aside; every key needs its own.")
    return tuple(keys)


def _read_key(number: int, text: str) -> EncryptionKey:
    key_id, colon, secret = text.rpartition(":")
    if colon and not _ID.fullmatch(key_id):
        raise ValueError(
            f"key {number} has no usable id; 1 to 16 letters, digits, _ and - are needed before the colon."
        )
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"key {number} is too short; {SHORTEST_SECRET} random characters or more are needed.")
    return EncryptionKey(key_id or hashlib.sha256(b"id:" + secret.encode()).hexdigest()[:8], secret)
