"""Where a mailbox with bounces is: what BOUNCE_IMAP_URL says. The password is never repeated, not even in an error."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from channels_email.mail_server import WrongMailServer, ca_file_of, options_of, scheme_of

NEEDED = "imaps://user:password@host/INBOX (or imap+tls://, or imap:// without encryption) is needed"


class ImapSecurity(StrEnum):
    """How the connection is encrypted."""

    NONE = "imap"
    #: STARTTLS, required.
    STARTTLS = "imap+tls"
    #: TLS from the first byte.
    TLS = "imaps"


PORTS = {ImapSecurity.NONE: 143, ImapSecurity.STARTTLS: 143, ImapSecurity.TLS: 993}
OPTIONS = ("ca",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """A mailbox at a server."""

    host: str
    port: int
    security: ImapSecurity
    user: str
    password: str = field(repr=False)
    mailbox: str = "INBOX"
    #: File of the certificates that are trusted instead of the system's.
    ca_file: str = ""

    def __str__(self) -> str:
        return f"{self.security}://{self.host}:{self.port}/{self.mailbox}"


def read_imap_server(url: str) -> ImapServer | None:
    """``imaps://user:password@host:993/INBOX?ca=FILE`` as a value; None for nothing. Raises `WrongMailServer`."""
    if not url:
        return None
    scheme = scheme_of(url, tuple(ImapSecurity), NEEDED)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    user, password = (unquote(parts.username or ""), unquote(parts.password or "")) if host else ("", "")
    mailbox = unquote(parts.path[1:]) if host else ""
    if not host or port == 0 or parts.fragment or not user or not password:
        raise WrongMailServer(
            f"is not an address we can read; {NEEDED}. In user and password write / as %2F, @ as %40, # as %23, "
            "? as %3F."
        )
    if not mailbox.isascii() or not mailbox.isprintable():
        raise WrongMailServer("names a mailbox with letters beyond ASCII; write it as the server does (RFC 3501).")
    options = options_of(parts, OPTIONS)
    return ImapServer(
        host=host,
        port=port or PORTS[ImapSecurity(scheme)],
        security=ImapSecurity(scheme),
        user=user,
        password=password,
        mailbox=mailbox or "INBOX",
        ca_file=ca_file_of(options.get("ca", "")),
    )
