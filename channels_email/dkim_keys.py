"""The key that signs our mails (DKIM, RFC 6376; Ed25519: RFC 8463): read it, make it, say what stands in DNS."""

import base64
import re
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

#: Bits of an RSA key: what receivers still take, what they want, what they all can check.
LEAST_BITS, GOOD_BITS, MOST_BITS = 1024, 2048, 4096
#: Characters of one string of a TXT record (RFC 1035, 3.3.14).
TXT_STRING = 255
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def read_private_key(text: str) -> str:
    """PEM, its line breaks perhaps written as backslash and n, or the path of a file with it; empty for none.

    Raises ValueError, which never repeats what was read.
    """
    if not text:
        return ""
    if "-----BEGIN" not in text:
        try:
            text = Path(text).read_text(encoding="ascii")
        except (OSError, ValueError):
            raise ValueError("neither a key in PEM nor a file that can be read.") from None
    text = text.replace("\\n", "\n").strip() + "\n"
    private_key(text)
    return text


@lru_cache(maxsize=4)
def private_key(text: str) -> PrivateKey:
    """The key itself. Raises ValueError."""
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(
            "this is no private key in PEM without a password; `manage.py make_dkim_key` makes one."
        ) from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("mails are signed with RSA or Ed25519; `manage.py make_dkim_key` makes a key.")
    if not LEAST_BITS <= key.key_size <= MOST_BITS:
        raise ValueError(f"an RSA key of {LEAST_BITS} to {MOST_BITS} bits is needed, better of {GOOD_BITS}.")
    return key


def read_selector(text: str) -> str:
    """Labels of a name in DNS. Raises ValueError."""
    if text and not _NAME.fullmatch(text):
        raise ValueError("a name such as mail or 2026-11 is needed: letters, digits, hyphens.")
    return text.lower()


def read_domain(text: str) -> str:
    """A domain as it travels. Raises ValueError."""
    if text and (not _NAME.fullmatch(text) or "." not in text or len(text) > 253):
        raise ValueError("a domain such as example.com is needed.")
    return text.lower()


def new_private_key(*, bits: int = GOOD_BITS, is_ed25519: bool = False) -> str:
    """A fresh one, in PEM."""
    key: PrivateKey = (
        ed25519.Ed25519PrivateKey.generate() if is_ed25519 else rsa.generate_private_key(65537, key_size=bits)
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def public_record(pem: str) -> str:
    """What SELECTOR._domainkey.DOMAIN says in DNS (RFC 6376, 3.6.1; RFC 8463, 4.2). Raises ValueError."""
    key = private_key(pem)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = key.public_key().public_bytes(serialization.Encoding.DER, form)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


def zone_line(pem: str, *, selector: str, domain: str) -> str:
    """The same as a line of a zone file: what is long stands in several strings."""
    record = public_record(pem)
    pieces = [record[at : at + TXT_STRING] for at in range(0, len(record), TXT_STRING)]
    quoted = " ".join(f'"{piece}"' for piece in pieces)
    return f"{selector}._domainkey.{domain}. IN TXT ( {quoted} )"
