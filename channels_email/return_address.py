"""The address to which a mail is sent back. It names the notification and is sealed (VERP): `b+<token>@BOUNCE_DOMAIN`.

It stands in the envelope alone, so it is known to the servers on the way and to who has the mail. Whoever shows it had
the mail, or carried it; nobody else can say that a mail came back.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils.encoding import punycode

#: Before the token, where BOUNCE_DOMAIN names only a domain.
LOCAL_PART = "b"
#: Bytes of the seal; the id before it has 16.
SEAL = 10
#: Characters: 26 bytes as base32, which survives servers that write addresses in small letters.
TOKEN = 42
#: Characters before an @ (RFC 5321, 4.5.3.1.1).
LONGEST_LOCAL_PART = 64
#: Tokens that are looked at in one text: a stranger may have written it.
MOST_TOKENS = 20
_PURPOSE = b"return address:"
#: For base32 (RFC 4648) two letters at a time: the standard library takes five times as long, for every mail.
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [one + two for one in _LETTERS for two in _LETTERS]
_SPARE = TOKEN * 5 - (16 + SEAL) * 8
_STEPS = range(TOKEN * 5 - 10, -1, -10)
_TOKEN = re.compile(rf"\+([A-Za-z2-7]{{{TOKEN}}})(?![A-Za-z2-7])")
_LOCAL_PART = re.compile(r"[A-Za-z0-9._-]+")
_DOMAIN = re.compile(r"(?=.{1,190}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BounceDomain:
    """Where mails come back to: every address that begins with `local_part` and a plus."""

    local_part: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local_part}+…@{self.domain}"


def read_bounce_domain(text: str) -> BounceDomain | None:
    """`bounces.example.com`, or `name@example.com` where a mailbox takes `name+anything`. Raises ValueError."""
    if not text:
        return None
    local_part, at, domain = text.rpartition("@")
    try:
        domain = punycode(domain).lower()
    except UnicodeError:
        domain = ""
    longest = LONGEST_LOCAL_PART - TOKEN - 1
    is_address = not at or (_LOCAL_PART.fullmatch(local_part) and len(local_part) <= longest)
    if not is_address or not _DOMAIN.fullmatch(domain):
        raise ValueError(
            f"is {text!r}; a domain such as bounces.example.com is needed, or a mailbox such as bounces@example.com "
            f"with at most {longest} characters before the @."
        )
    return BounceDomain(local_part if at else LOCAL_PART, domain)


def return_address(notification_id: UUID) -> str:
    """The sender of the envelope; empty without BOUNCE_DOMAIN."""
    place: BounceDomain | None = settings.BOUNCE_DOMAIN
    if place is None:
        return ""
    named = notification_id.bytes
    bits = int.from_bytes(named + _seal(named)) << _SPARE
    token = "".join([_PAIRS[bits >> at & 1023] for at in _STEPS])
    return f"{place.local_part}+{token}@{place.domain}"


def find_sealed(text: str) -> UUID | None:
    """The notification of the first return address of ours in a text that anybody may have written; None without one.

    Also of an address that another server has wrapped into its own (SRS).
    """
    for number, found in enumerate(_TOKEN.finditer(text)):
        if number >= MOST_TOKENS:
            break
        if (known := _opened(found[1])) is not None:
            return known
    return None


def _opened(token: str) -> UUID | None:
    whole = base64.b32decode(token.upper() + "=" * (-TOKEN % 8))
    named, seal = whole[:16], whole[16:]
    return UUID(bytes=named) if hmac.compare_digest(seal, _seal(named)) else None


def _seal(named: bytes) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), _PURPOSE + named, "sha256")[:SEAL]
