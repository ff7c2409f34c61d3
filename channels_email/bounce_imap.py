"""A mailbox at a server (IMAP4rev1, RFC 3501), read for bounces. What is recorded goes to the folder Handled.

One deadline for a whole look, however slowly the bytes drip; no server makes us keep more than a mail at a time.
"""

import imaplib
import re
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from channels_email.bounce_boxes import MOST_BYTES, BounceBox
from channels_email.bounce_intake import IncomingMail
from channels_email.imap_server import ImapSecurity, ImapServer
from channels_email.mail_parts import LARGEST_MAIL
from gateway.channel_contract import NewsAway, said

#: For a whole look. The next one begins a minute later.
LOOK_WITHIN = timedelta(seconds=50)
#: For one answer.
ANSWER_WITHIN = timedelta(seconds=20)
#: Bytes of a line of an answer: a list of all mails may be one.
LONGEST_LINE = 1024 * 1024
#: Where recorded mails go; some servers keep every folder below the inbox.
HANDLED = ("Handled", "INBOX.Handled", "INBOX/Handled")
#: Neither deleted nor set aside. Whether somebody has seen it does not matter.
WAITING = ("UNDELETED", "UNFLAGGED")
_UID = re.compile(rb"UID (\d+)")

Result = TypeVar("Result")


class _Wire(imaplib.IMAP4):
    """The standard library's client over a transport with a deadline."""

    def __init__(self, server: ImapServer) -> None:
        self._server = server
        self._received = bytearray()
        self._ends_at = time.monotonic() + LOOK_WITHIN.total_seconds()
        self._tls = (
            None if server.security is ImapSecurity.NONE else ssl.create_default_context(cafile=server.ca_file or None)
        )
        super().__init__(server.host, server.port)

    # --- transport, as imaplib asks for it ----------------------------------------------------------------------------
    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        made = socket.create_connection((host, port), timeout=self._left())
        at_once = self._tls if self._server.security is ImapSecurity.TLS else None
        self.sock = at_once.wrap_socket(made, server_hostname=host) if at_once else made

    def read(self, size: int) -> bytes:
        if size > LARGEST_MAIL + 1024:
            raise self.abort("the answer is larger than what was asked for")
        while len(self._received) < size:
            self._receive()
        return self._taken(size)

    def readline(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > LONGEST_LINE:
                raise self.abort("a line is too long")
            self._receive()
        return self._taken(end + 1)

    def send(self, data: Any) -> None:
        self.sock.settimeout(self._left())
        self.sock.sendall(data)

    def shutdown(self) -> None:
        self.sock.close()

    def encrypt(self) -> None:
        """STARTTLS. What came in the open after it could be anybody's."""
        if self._tls is None or "STARTTLS" not in self.capabilities:
            raise self.error("it does not offer STARTTLS, and without it no password is sent")
        _answer(self._simple_command("STARTTLS"))
        self._received.clear()
        self.sock.settimeout(self._left())
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._server.host)
        self.ask_capabilities()

    def ask_capabilities(self) -> None:
        """They change with encryption, and with who asks."""
        words = _answer(self.capability())[-1]
        self.capabilities = tuple((words or b"").decode("ascii", "replace").upper().split())

    def _receive(self) -> None:
        self.sock.settimeout(self._left())
        data = self.sock.recv(64 * 1024)
        if not data:
            raise self.abort("it closed the connection")
        self._received += data

    def _taken(self, size: int) -> bytes:
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def _left(self) -> float:
        seconds = min(self._ends_at - time.monotonic(), ANSWER_WITHIN.total_seconds())
        if seconds <= 0:
            raise TimeoutError
        return seconds


class BounceMailbox(BounceBox[str]):
    """One mailbox; a connection for each look. Handles are UIDs of that connection."""

    def __init__(self, server: ImapServer) -> None:
        super().__init__()
        self._server = server
        self._wire: _Wire | None = None

    def fetch(self, limit: int) -> list[tuple[str, IncomingMail]]:
        """The oldest that wait. Nothing is marked as read."""
        self.close()
        return self._guarded(lambda: self._fetch(limit))

    def put_away(self, handles: Sequence[str]) -> None:
        """Into the folder Handled; where there cannot be one, they stay, read and flagged."""
        if handles:
            self._guarded(lambda: self._put_away(",".join(handles)))

    def set_aside(self, handles: Sequence[str]) -> None:
        """They stay, unread and flagged."""
        self._guarded(lambda: self._store(",".join(handles), r"(\Flagged)"))

    def close(self) -> None:
        """End the connection, whatever its state."""
        wire, self._wire = self._wire, None
        if wire is not None:
            try:
                wire.logout()
            except (OSError, imaplib.IMAP4.error):
                wire.shutdown()

    # --- steps --------------------------------------------------------------------------------------------------------
    def _fetch(self, limit: int) -> list[tuple[str, IncomingMail]]:
        wire = self._opened()
        found: list[tuple[str, IncomingMail]] = []
        size = 0
        for uid in (_answer(wire.uid("SEARCH", *WAITING))[0] or b"").split()[:limit]:
            if size >= MOST_BYTES:
                break
            answer = _answer(wire.uid("FETCH", uid.decode(), f"(UID BODY.PEEK[]<0.{LARGEST_MAIL}>)"))
            content = next((each[1] for each in answer if isinstance(each, tuple) and _is_of(each[0], uid)), None)
            if content is not None:  # else somebody has moved it meanwhile
                size += len(content)
                found.append((uid.decode(), IncomingMail(content=content)))
        return found

    def _put_away(self, uids: str) -> None:
        wire = self._opened()
        folder = self._folder(wire)
        if not folder:
            self._store(uids, r"(\Seen \Flagged)")
        elif "MOVE" in wire.capabilities and wire.uid("MOVE", uids, folder)[0] == "OK":
            return
        else:
            _answer(wire.uid("COPY", uids, folder))
            self._store(uids, r"(\Seen \Deleted)")
            if "UIDPLUS" in wire.capabilities:  # without it others' deleted mails would go too
                wire.uid("EXPUNGE", uids)

    def _store(self, uids: str, flags: str) -> None:
        _answer(self._opened().uid("STORE", uids, "+FLAGS.SILENT", flags))

    def _folder(self, wire: _Wire) -> str:
        """The first that is there or can be made; empty where none can."""
        for name in HANDLED:
            kind, words = wire.create(_quoted(name))
            if kind == "OK" or b"ALREADYEXISTS" in bytes(words[0] or b"").upper():
                return _quoted(name)
            if wire.status(_quoted(name), "(MESSAGES)")[0] == "OK":
                return _quoted(name)
        return ""

    def _opened(self) -> _Wire:
        if self._wire is None:
            wire = _Wire(self._server)
            self._wire = wire
            if self._server.security is ImapSecurity.STARTTLS:
                wire.encrypt()
            self._sign_in(wire)
            _answer(wire.select(_quoted(self._server.mailbox)))
        return self._wire

    def _sign_in(self, wire: _Wire) -> None:
        if wire.state == "AUTH":
            return
        server = self._server
        if "AUTH=PLAIN" in wire.capabilities:
            wire.authenticate("PLAIN", lambda _: f"\0{server.user}\0{server.password}".encode())
        elif server.user.isascii() and server.password.isascii():
            wire.login(_quoted(server.user), server.password)
        else:
            raise wire.error("it takes only names and passwords in ASCII")
        wire.ask_capabilities()

    def _guarded(self, step: Callable[[], Result]) -> Result:
        """Whatever goes wrong ends the connection, and is said without a password."""
        try:
            return step()
        except (OSError, imaplib.IMAP4.error, UnicodeError) as error:
            why = _why(error)
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.shutdown()
        # A server may repeat what it was sent.
        why = why.replace(self._server.password, "••••").removesuffix(".")
        raise NewsAway(said(f"{self._server} cannot be read: {why}."))


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def _answer(answered: tuple[str, Any]) -> list[Any]:
    kind, data = answered
    if kind != "OK":
        words = data[0] if data else b""
        raise imaplib.IMAP4.error(words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words))
    return list(data)


def _is_of(head: bytes, uid: bytes) -> bool:
    """Servers may tell of other mails between two answers."""
    found = _UID.search(head)
    return found is not None and found[1] == uid


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
