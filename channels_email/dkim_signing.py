"""Signs mails (DKIM, RFC 6376): relaxed/relaxed, no DNS.

dkimpy says what is hashed; the signature itself is made by `cryptography`: dkimpy's own arithmetic takes ten times as
long, and it reads the key anew for each mail.
"""

import hashlib
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import dkim
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings
from dkim.canonicalization import CanonicalizationPolicy, Relaxed

from channels_email.dkim_keys import PrivateKey, private_key
from channels_email.message import Mail

#: What is signed where the mail has it: what a reader sees, and what mailbox providers act upon.
SIGNED = (
    *(b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type"),
    *(b"content-transfer-encoding", b"content-language", b"x-notification-id", b"auto-submitted", b"list-id"),
    *(b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id"),
)
#: Signed once more than there are of them: nobody adds another that readers would see instead (RFC 6376, 8.15).
ONCE_ONLY = (b"from", b"to", b"subject", b"date", b"reply-to")
#: Characters of a line of the signature.
_LINE = 72
_RELAXED = CanonicalizationPolicy(Relaxed, Relaxed)


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose mails are signed, and with which key."""

    key: PrivateKey
    selector: str
    domain: str

    def header(self, content: bytes) -> bytes:
        """The line that goes before the mail, ended by CR LF. `content` has CR LF at each end of a line."""
        head, _, body = content.partition(b"\r\n\r\n")
        headers, _ = dkim.rfc822_parse(head + b"\r\n\r\n")
        present = {name.lower() for name, _ in headers}
        names = [name for name in SIGNED if name in present] + list(ONCE_ONLY)
        is_rsa = isinstance(self.key, rsa.RSAPrivateKey)
        fields = (
            f"v=1; a={'rsa' if is_rsa else 'ed25519'}-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};",
            f"t={int(time.time())};",
            f"h={_names(names)};",
            f"bh={b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode()};",
            "b=",  # what is signed has nothing behind it
        )
        unsigned = " " + "\r\n ".join(fields)
        seen = _Seen()
        signature_header = (b"DKIM-Signature", unsigned.encode())
        dkim.hash_headers(seen, _RELAXED, _RELAXED.canonicalize_headers(headers), names, signature_header, {})
        return f"DKIM-Signature:{unsigned}{_in_lines(b64encode(self._signed(seen.content)).decode())}\r\n".encode()

    def _signed(self, content: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(hashlib.sha256(content).digest())  # RFC 8463, section 3: of the hash


class _Seen:
    """Takes the place of a hash: what was to be hashed."""

    def __init__(self) -> None:
        self.content = b""

    def update(self, piece: bytes) -> None:
        """One piece more."""
        self.content += piece


def signed(mail: Mail) -> Mail:
    """The mail with our signature; as it is without DKIM_PRIVATE_KEY."""
    signer = _signer(settings.DKIM_PRIVATE_KEY, settings.DKIM_SELECTOR, settings.DKIM_DOMAIN)
    return replace(mail, content=signer.header(mail.content) + mail.content) if signer else mail


@lru_cache(maxsize=4)
def _signer(pem: str, selector: str, domain: str) -> Signer | None:
    return Signer(private_key(pem), selector, domain) if pem and selector and domain else None


def _relaxed_body(body: bytes) -> bytes:
    """RFC 6376, 3.4.4. Most bodies, and all of base64, have nothing to relax."""
    if b"\t" in body or b"  " in body or b" \r\n" in body or len(body) <= 2 or body.endswith(b"\r\n\r\n"):
        relaxed: bytes = Relaxed.canonicalize_body(body)
        return relaxed
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _names(names: Sequence[bytes]) -> str:
    """With a line break before what does not fit into a line."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > _LINE - 4:
            lines.append("")
        lines[-1] += name.decode() + ":"
    return "\r\n ".join(lines).removesuffix(":")


def _in_lines(text: str) -> str:
    return "\r\n ".join(text[at : at + _LINE] for at in range(0, len(text), _LINE))
