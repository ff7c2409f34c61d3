"""Where mail is handed over: what EMAIL_URL says, read once. The password is never repeated, not even in an error."""

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
    scheme = url.partition("://")[0].lower()
    if scheme not in tuple(Security):
        raise WrongMailServer(f"begins with {scheme[:20]!r}; {NEEDED}.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unreadable() from None
    if not host or parts.path not in ("", "/") or parts.fragment or port == 0:
        raise _unreadable()
    options = _options(parts)
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
        ca_file=_ca_file(options.get("ca", "")),
        name=_name(options.get("name", OWN_NAME)),
    )


def _unreadable() -> WrongMailServer:
    return WrongMailServer(
        f"is not an address we can read; {NEEDED}. In user and password write / as %2F, @ as %40, # as %23, ? as %3F."
    )


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise WrongMailServer(f"has the option {unknown[0][:20]!r}; there are {', '.join(OPTIONS)}.")
    return options


def _timeout(raw: str | None) -> timedelta:
    if raw is None:
        return LONGEST_CALL
    most = round(LONGEST_CALL.total_seconds())
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= most):
        raise WrongMailServer(f"has timeout={raw[:20]}; a whole number of seconds from 1 to {most} is needed.")
    return timedelta(seconds=int(raw))


def _ca_file(raw: str) -> str:
    if raw and not Path(raw).is_file():
        raise WrongMailServer(f"has ca={raw}, which is no file; the path of a PEM file with certificates is needed.")
    return raw


def _name(raw: str) -> str:
    if not raw or not raw.isascii() or not all(each.isalnum() or each in ".-[]:" for each in raw):
        raise WrongMailServer("has a name that is no host name; the name of this machine, such as web1.example.com.")
    return raw
