"""One connection of the stand-in mail server (RFC 5321, 1870, 2920, 3207, 4954, 6152, 6531), on asyncio."""

import asyncio
import base64
import binascii
import re
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from channels_email.standins.smtp_rules import Rule

if TYPE_CHECKING:
    from channels_email.standins.smtp_server import SmtpServer

_PATH = re.compile(r"(?:FROM|TO):\s*<([^\s]*?)>((?: [^\s]+)*)\s*", re.IGNORECASE)
_QUOTED_PATH = re.compile(r'(?:FROM|TO):\s*<("(?:[^"\\]|\\.)*"@[^\s>]*)>((?: [^\s]+)*)\s*', re.IGNORECASE)
_LONGEST_LINE = 998


@dataclass(kw_only=True)
class Offer:
    """What the server says after EHLO, and what it asks for."""

    pipelining: bool = True
    eight_bit: bool = True
    smtputf8: bool = True
    enhanced_codes: bool = True
    #: Bytes of a message; 0: not offered.
    size: int = 10_000_000
    starttls: bool = False
    #: TLS from the first byte.
    implicit_tls: bool = False
    #: Who may send; without any, everybody may.
    users: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Received:
    """A message the server has accepted."""

    connection: int
    sequence: int
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    #: The words of MAIL behind the address, such as SIZE=1000.
    options: tuple[str, ...]
    is_encrypted: bool


class Session(asyncio.Protocol):
    """Takes commands in any number of pieces, also several in one; answers in order, gathered into few packets."""

    def __init__(self, server: "SmtpServer") -> None:
        self._server = server
        self._buffer = bytearray()
        self._out = bytearray()
        self._seen = 0  # bytes of content in which no end was found
        self._is_waiting = False  # a rule says so: nothing is read
        self._is_encrypted = server.offer.implicit_tls
        self._is_known = not server.offer.users
        self._login: list[str] | None = None
        self._is_data = False
        self._sequence = 0
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._options: tuple[str, ...] = ()
        self._transport: asyncio.Transport

    # --- the wire -----------------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.connection_count += 1
        self.number = self._server.connection_count
        self._server.sessions.add(self)
        self._at("connect", lambda: self._reply("220 standin.test ESMTP"))
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.sessions.discard(self)
        self._is_waiting = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._consume()

    def cut(self) -> None:
        """Without a word."""
        self._is_waiting = True
        self._transport.abort()

    def _consume(self) -> None:
        while not self._is_waiting and (self._take_content() if self._is_data else self._take_line()):
            pass
        self._flush()

    def _flush(self) -> None:
        if self._out and not self._transport.is_closing():
            self._transport.write(bytes(self._out))
        self._out.clear()

    def _take_line(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            return False
        line = bytes(self._buffer[:end]).rstrip(b"\r").decode("utf-8", "surrogateescape")
        del self._buffer[: end + 1]
        self._server.note(line)
        if self._login is not None:
            self._go_on_login(self._login, line)
        else:
            word, _, rest = line.partition(" ")
            self._command(word.upper(), rest)
        return True

    def _take_content(self) -> bool:
        if self._buffer.startswith(b".\r\n"):
            content, length = b"", 3
        else:
            end = self._buffer.find(b"\r\n.\r\n", self._seen)
            if end < 0:
                self._seen = max(0, len(self._buffer) - 4)
                return False
            content, length = bytes(self._buffer[: end + 2]), end + 5
        del self._buffer[:length]
        self._seen, self._is_data = 0, False
        self._take_message((b"\r\n" + content).replace(b"\r\n..", b"\r\n.")[2:])
        return True

    # --- rules --------------------------------------------------------------------------------------------------------
    def _at(self, stage: str, usual: Callable[[], None], recipients: Sequence[str] | None = None) -> None:
        who = self._recipients if recipients is None else recipients
        rule = self._server.book.find(stage, self.number, who)
        if rule is None:
            usual()
        elif rule.delay:
            self._is_waiting = True
            self._flush()
            asyncio.get_running_loop().call_later(rule.delay, self._after_delay, rule, usual)
        else:
            self._apply(rule, usual)

    def _after_delay(self, rule: Rule, usual: Callable[[], None]) -> None:
        if self._transport.is_closing():
            return
        self._is_waiting = False
        self._apply(rule, usual)
        self._consume()

    def _apply(self, rule: Rule, usual: Callable[[], None]) -> None:
        if rule.act == "hang":
            self._is_waiting = True
        elif rule.act == "close":
            self._hang_up()
        elif rule.reply:
            self._reply(rule.reply)
            if rule.reply.startswith("421"):
                self._hang_up()
        else:
            usual()

    def _hang_up(self) -> None:
        self._is_waiting = True
        self._flush()
        self._transport.close()

    def _reply(self, words: str) -> None:
        if not self._server.offer.enhanced_codes:
            words = re.sub(r"^(\d{3}) \d\.\d+\.\d+ ", r"\1 ", words)
        self._out += words.encode("utf-8", "surrogateescape") + b"\r\n"

    # --- commands -----------------------------------------------------------------------------------------------------
    def _command(self, word: str, rest: str) -> None:
        known: dict[str, tuple[str, Callable[[], None]]] = {
            "EHLO": ("hello", lambda: self._hello(word)),
            "HELO": ("hello", lambda: self._hello(word)),
            "MAIL": ("mail", lambda: self._mail(rest)),
            "DATA": ("data", self._data),
            "RSET": ("rset", self._reset),
            "NOOP": ("noop", lambda: self._reply("250 2.0.0 OK")),
            "STARTTLS": ("starttls", self._starttls),
            "AUTH": ("auth", lambda: self._auth(rest)),
            "QUIT": ("quit", self._quit),
        }
        if word == "RCPT":  # its rules are those of the address in it
            self._rcpt(rest)
        elif word in known:
            self._at(*known[word])
        else:
            self._reply("500 5.5.2 What?")

    def _quit(self) -> None:
        self._reply("221 2.0.0 Bye")
        self._hang_up()

    def _hello(self, word: str) -> None:
        self._forget()
        if word == "HELO":
            self._reply("250 standin.test")
            return
        offer = self._server.offer
        lines = ["standin.test"]
        lines += ["PIPELINING"] * offer.pipelining + ["8BITMIME"] * offer.eight_bit + ["SMTPUTF8"] * offer.smtputf8
        lines += [f"SIZE {offer.size}"] * bool(offer.size) + ["ENHANCEDSTATUSCODES"] * offer.enhanced_codes
        lines += ["STARTTLS"] * (offer.starttls and not self._is_encrypted)
        lines += ["AUTH PLAIN LOGIN"] * bool(offer.users and (self._is_encrypted or not offer.starttls))
        for line in lines[:-1]:
            self._reply(f"250-{line}")
        self._reply(f"250 {lines[-1]}")

    def _starttls(self) -> None:
        if not self._server.offer.starttls or self._is_encrypted:
            self._reply("503 5.5.1 Not now")
            return
        self._reply("220 2.0.0 Ready")
        self._flush()
        self._buffer.clear()  # what came before the handshake could be anybody's
        self._is_waiting = True
        self._handshake = asyncio.get_running_loop().create_task(self._encrypt())

    async def _encrypt(self) -> None:
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                self._transport, self, cast(ssl.SSLContext, self._server.tls), server_side=True
            )
        except (OSError, ConnectionError):  # the client does not trust us
            self._server.sessions.discard(self)
            return
        self._transport = cast(asyncio.Transport, encrypted)
        self._is_encrypted, self._is_waiting = True, False
        self._consume()

    def _auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        match mechanism.upper():
            case "PLAIN" if initial:
                self._check_plain(initial)
            case "PLAIN":
                self._login = ["plain"]
                self._reply("334 ")
            case "LOGIN":
                self._login = ["login", *([initial] if initial else [])]
                self._reply("334 UGFzc3dvcmQ6" if initial else "334 VXNlcm5hbWU6")
            case _:
                self._reply("504 5.5.4 Unknown mechanism")

    def _go_on_login(self, login: list[str], line: str) -> None:
        kind, *given = login
        if kind == "plain":
            self._login = None
            self._check_plain(line)
        elif not given:
            login.append(line)
            self._reply("334 UGFzc3dvcmQ6")
        else:
            self._login = None
            self._check(_decoded(given[0]), _decoded(line))

    def _check_plain(self, line: str) -> None:
        _, _, pair = _decoded(line).partition("\0")
        name, _, password = pair.partition("\0")
        self._check(name, password)

    def _check(self, name: str, password: str) -> None:
        self._is_known = self._server.offer.users.get(name) == password
        self._reply("235 2.7.0 Welcome" if self._is_known else "535 5.7.8 Wrong name or password")

    # --- a message ----------------------------------------------------------------------------------------------------
    def _mail(self, rest: str) -> None:
        offer = self._server.offer
        path = _QUOTED_PATH.fullmatch(rest) or _PATH.fullmatch(rest)
        if not self._is_known:
            self._reply("530 5.7.0 Authentication required")
        elif path is None:
            self._reply("501 5.5.4 MAIL FROM:<address> is needed")
        elif self._sender is not None:
            self._reply("503 5.5.1 Nested MAIL")
        else:
            options = tuple(path[2].split())
            names = {option.partition("=")[0].upper() for option in options}
            allowed = {"SIZE"} if offer.size else set()
            allowed |= ({"BODY"} if offer.eight_bit else set()) | ({"SMTPUTF8"} if offer.smtputf8 else set())
            size = next((int(each[5:]) for each in options if each.upper().startswith("SIZE=")), 0)
            if names - allowed:
                self._reply("555 5.5.4 Unknown option")
            elif offer.size and size > offer.size:
                self._reply("552 5.3.4 Too big")
            elif not path[1].isascii() and "SMTPUTF8" not in names:
                self._reply("553 5.6.7 SMTPUTF8 is needed")
            else:
                self._sender, self._options = path[1], options
                self._reply("250 2.1.0 OK")

    def _rcpt(self, rest: str) -> None:
        path = _QUOTED_PATH.fullmatch(rest) or _PATH.fullmatch(rest)
        if self._sender is None:
            self._reply("503 5.5.1 MAIL first")
        elif path is None:
            self._reply("501 5.5.4 RCPT TO:<address> is needed")
        elif not path[1].isascii() and "SMTPUTF8" not in self._options:
            self._reply("553 5.6.7 SMTPUTF8 is needed")
        else:
            self._at("rcpt", lambda: self._add_recipient(path[1]), [path[1]])

    def _add_recipient(self, address: str) -> None:
        self._recipients.append(address)
        self._reply("250 2.1.5 OK")

    def _data(self) -> None:
        if not self._recipients:
            self._reply("503 5.5.1 RCPT first" if self._sender is None else "554 5.5.1 No valid recipients")
            return
        self._is_data = True
        self._reply("354 Go ahead")

    def _take_message(self, content: bytes) -> None:
        self._sequence += 1
        message = Received(
            connection=self.number,
            sequence=self._sequence,
            sender=self._sender or "",
            recipients=tuple(self._recipients),
            content=content,
            options=self._options,
            is_encrypted=self._is_encrypted,
        )
        self._forget()
        self._at("dot", lambda: self._judge(message), message.recipients)

    def _judge(self, message: Received) -> None:
        if fault := self._fault(message):
            self._reply(fault)
            return
        self._server.accept(message)
        self._at("accepted", lambda: self._confirm(message), message.recipients)

    def _confirm(self, message: Received) -> None:
        self._reply(f"250 2.0.0 OK: queued as S{message.connection}X{message.sequence}")
        self._at("answered", lambda: None, message.recipients)

    def _fault(self, message: Received) -> str:
        content, offer = message.content, self._server.offer
        if offer.size and len(content) > offer.size:
            return "552 5.3.4 Too big"
        if not content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n"):
            return "554 5.6.0 A line break is CR LF"
        if len(max(content.split(b"\r\n"), key=len)) > _LONGEST_LINE:
            return "554 5.6.0 A line is longer than 998"
        if not content.isascii() and not {"BODY=8BITMIME", "SMTPUTF8"} & set(message.options):
            return "554 5.6.3 Eight bits were not announced"
        return ""

    def _reset(self) -> None:
        self._forget()
        self._reply("250 2.0.0 OK")

    def _forget(self) -> None:
        self._sender, self._recipients, self._options = None, [], ()


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
