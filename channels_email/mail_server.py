"""Where mail is handed over: what EMAIL_URL says, read once. The password is never repeated, not even in an error."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

NEEDED = "smtp+tls://user:password@host:587 (or smtps://, or smtp:// without encryption) is needed"
#: The longest one message may take. The protocol of delivery allows no more.
LONGEST_CALL = timedelta(seconds=30)
#: A host name that every server takes in EHLO, where none is given.
OWN_NAME = "localhost.localdomain"


class Security(StrEnum):
    """How the connection is encrypted."""

    NONE = "smtp"
    #: STARTTLS, required: a server without it gets no mail and no password.
    STARTTLS = "smtp+tls"
    #: TLS from the first byte.
    TLS = "smtps"


PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}
OPTIONS = ("timeout", "ca", "name")


class WrongMailServer(ValueError):
    """The address cannot be used; the message says why and what is needed, without the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server that takes mail."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)
    #: For a whole message, from the first command to the last answer.
    timeout: timedelta = LONGEST_CALL
    #: File of the certificates that are trusted instead of the system's.
    ca_file: str = ""
    #: Ours, in EHLO.
    name: str = OWN_NAME

    def __str__(self) -> str:
        return f"{self.security}://{self.host}:{self.port}"


def read_mail_server(url: str) -> MailServer:
    """``smtp+tls://user:password@host:587/?timeout=20`` as a value. Raises `WrongMailServer`."""
    scheme = scheme_of(url, tuple(Security), NEEDED)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unreadable() from None
    if not host or parts.path not in ("", "/") or parts.fragment or port == 0:
        raise _unreadable()
    options = options_of(parts, OPTIONS)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise WrongMailServer("names a user without a password, or a password without a user; both or none is needed.")
    return MailServer(
        host=host,
        port=port or PORTS[Security(scheme)],
        security=Security(scheme),
        user=user,
        password=password,
        timeout=_timeout(options.get("timeout")),
        ca_file=ca_file_of(options.get("ca", "")),
        name=_name(options.get("name", OWN_NAME)),
    )


def checked_mail_server(url: str) -> str:
    """The address itself, if it can be read. Raises `WrongMailServer`."""
    if url:
        read_mail_server(url)
    return url


def mail_server_hint(url: str) -> str:
    """By what people recognise a server: neither user nor password."""
    return str(read_mail_server(url))


def scheme_of(url: str, allowed: Collection[str], needed: str) -> str:
    """What stands before ``://``. Without that nothing is repeated: it may be a password. Raises `WrongMailServer`."""
    scheme, mark, _ = url.partition("://")
    if not mark:
        raise WrongMailServer(f"is no address; {needed}.")
    if scheme.lower() not in allowed:
        raise WrongMailServer(f"begins with {scheme[:20].lower()!r}; {needed}.")
    return scheme.lower()


def _unreadable() -> WrongMailServer:
    return WrongMailServer(
        f"is not an address we can read; {NEEDED}. In user and password write / as %2F, @ as %40, # as %23, ? as %3F."
    )


def options_of(parts: SplitResult, known: Sequence[str]) -> dict[str, str]:
    """What stands behind the question mark. Raises `WrongMailServer`."""
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = [name for name in options if name not in known]
    if unknown:
        raise WrongMailServer(f"has the option {unknown[0][:20]!r}; there are {', '.join(known)}.")
    return options


def _timeout(raw: str | None) -> timedelta:
    if raw is None:
        return LONGEST_CALL
    most = round(LONGEST_CALL.total_seconds())
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= most):
        raise WrongMailServer(f"has timeout={raw[:20]}; a whole number of seconds from 1 to {most} is needed.")
    return timedelta(seconds=int(raw))


def ca_file_of(raw: str) -> str:
    """The path of a file that is there, or nothing. Raises `WrongMailServer`."""
    if raw and not Path(raw).is_file():
        raise WrongMailServer(f"has ca={raw}, which is no file; the path of a PEM file with certificates is needed.")
    return raw


def _name(raw: str) -> str:
    if not raw or not raw.isascii() or not all(each.isalnum() or each in ".-[]:" for each in raw):
        raise WrongMailServer("has a name that is no host name; the name of this machine, such as web1.example.com.")
    return raw
