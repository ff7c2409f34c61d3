"""One open connection to a mail server. smtplib opens it; handing over is ours: all commands of a message in one
flight (RFC 2920), one deadline for the whole of it, and an honest word for where it broke off.
"""

import smtplib
import ssl
import time
from dataclasses import dataclass
from datetime import timedelta

from channels_email.mail_server import MailServer, Security
from channels_email.message import Mail
from channels_email.smtp_replies import Stage, accepted, is_yes, refused
from channels_email.smtp_wire import Wire
from gateway.channel_contract import Outcome, ProviderAway, SendResult

#: Opening takes no longer: a claim lasts 30 s, and notifications wait for it.
OPEN_WITHIN = timedelta(seconds=10)
#: A server that takes longer for a NOOP is as good as gone.
ANSWER_WITHIN = timedelta(seconds=5)
#: A connection that was still for longer is asked whether it lives.
IDLE = timedelta(seconds=5)
SERVICE_CLOSING = 421
GO_AHEAD = 354


class LinkLost(Exception):
    """The connection ended before a byte of the message was handed over; `result` says so for this message."""

    def __init__(self, result: SendResult) -> None:
        super().__init__(result.detail)
        self.result = result


@dataclass(frozen=True, slots=True)
class _Reply:
    stage: Stage
    code: int
    words: str


class Link:
    """Open it, hand over mails one by one, look after it when it was idle."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._wire: Wire | None = None
        self._tls: ssl.SSLContext | None = None
        self._used_at = 0.0
        self._needs_reset = False
        self._has_pipelining = self._has_utf8 = False
        self._size = 0

    @property
    def timeout(self) -> timedelta:
        """For one message."""
        return self._server.timeout

    # --- opening ------------------------------------------------------------------------------------------------------
    def ensure(self, *, within: timedelta = OPEN_WITHIN) -> None:
        """Open and alive: TCP, TLS, signed in. Raises `ProviderAway`."""
        if self._wire is not None and time.monotonic() - self._used_at > IDLE.total_seconds():
            self._ask(self._wire)
        if self._wire is None:
            self._open(within)

    def close(self) -> None:
        """Without waiting for a word of farewell; nothing is under way."""
        wire, self._wire = self._wire, None
        if wire is not None:
            try:
                wire.ends_at = time.monotonic() + 1
                wire.put(b"QUIT\r\n")
            except (OSError, smtplib.SMTPException):
                pass
            wire.close()

    def _ask(self, wire: Wire) -> None:
        wire.ends_at = time.monotonic() + ANSWER_WITHIN.total_seconds()
        try:
            code, _ = wire.docmd("NOOP")
        except (OSError, smtplib.SMTPException):
            code = 0
        if is_yes(code):
            self._used_at = time.monotonic()
        else:
            self._drop()

    def _open(self, within: timedelta) -> None:
        """Each step's failure with its own word; `MISCONFIGURED` is what waiting does not mend."""
        wire: Wire | None = None
        try:
            tls = self._context()
            wire = Wire(self._server, tls)
            wire.ends_at = time.monotonic() + min(within, self._server.timeout).total_seconds()
            self._require(Stage.CONNECT, wire.connect(self._server.host, self._server.port))
            self._hello(wire)
            if tls and self._server.security is Security.STARTTLS:
                self._encrypt(wire, tls)
            self._sign_in(wire)
        except ProviderAway:
            _shut(wire)
            raise
        except ssl.SSLCertVerificationError as error:
            _shut(wire)
            raise self._away(
                f"its certificate is not trusted: {error.verify_message}", Outcome.MISCONFIGURED
            ) from error
        except TimeoutError as error:
            _shut(wire)
            raise self._away("it does not answer in time") from error
        except UnicodeError as error:
            _shut(wire)
            raise self._away("its name is no host name", Outcome.MISCONFIGURED) from error
        except (OSError, smtplib.SMTPException) as error:
            _shut(wire)
            raise self._away(_plain(error)) from error
        self._has_pipelining, self._has_utf8 = wire.has_extn("pipelining"), wire.has_extn("smtputf8")
        size = wire.esmtp_features.get("size", "")
        self._size = int(size) if size.isascii() and size.isdigit() else 0
        self._needs_reset, self._used_at, self._wire = False, time.monotonic(), wire

    def _context(self) -> ssl.SSLContext | None:
        if self._tls is None and self._server.security is not Security.NONE:
            self._tls = ssl.create_default_context(cafile=self._server.ca_file or None)
        return self._tls

    def _encrypt(self, wire: Wire, tls: ssl.SSLContext) -> None:
        if not wire.has_extn("starttls"):
            raise self._away("it does not offer STARTTLS, and without it nothing is sent", Outcome.MISCONFIGURED)
        try:
            self._require(Stage.STARTTLS, wire.encrypt(tls))
        except smtplib.SMTPResponseException as error:
            self._require(Stage.STARTTLS, (error.smtp_code, error.smtp_error))
        self._hello(wire)

    def _hello(self, wire: Wire) -> None:
        answer = wire.ehlo()
        if answer[0] in (500, 502):  # of last century
            answer = wire.helo()
        self._require(Stage.HELLO, answer)

    def _sign_in(self, wire: Wire) -> None:
        if not self._server.user:
            return
        try:
            wire.login(self._server.user, self._server.password)
        except smtplib.SMTPNotSupportedError as error:
            raise self._away("it offers no way to sign in", Outcome.MISCONFIGURED) from error
        except smtplib.SMTPResponseException as error:
            self._require(Stage.AUTH, (error.smtp_code, error.smtp_error))
        except UnicodeEncodeError as error:
            raise self._away("name and password must be ASCII", Outcome.MISCONFIGURED) from error

    def _require(self, stage: Stage, answer: tuple[int, bytes | str]) -> None:
        code, words = answer
        if is_yes(code):
            return
        result = refused(stage, code, _text(words))
        is_ours = result.outcome is Outcome.MISCONFIGURED or (stage is Stage.AUTH and code >= 500)
        outcome = Outcome.MISCONFIGURED if is_ours else Outcome.TRANSIENT
        raise self._away(f"{stage} was answered with {result.provider_code}: {result.detail}", outcome)

    def _away(self, why: str, outcome: Outcome = Outcome.TRANSIENT) -> ProviderAway:
        return ProviderAway(f"{self._server} cannot be used: {why.removesuffix('.')}.", outcome=outcome)

    def _drop(self) -> None:
        _shut(self._wire)
        self._wire = None

    # --- handing over -------------------------------------------------------------------------------------------------
    def hand_over(self, mail: Mail, *, ends_at: float) -> SendResult:
        """One mail over the open connection, until `ends_at` (monotonic). `LinkLost`: nothing was handed over."""
        wire = self._wire
        if wire is None:
            raise LinkLost(_not_handed_over("The connection is closed."))
        if self._size and len(mail.content) > self._size:
            return refused(Stage.MAIL, 552, "5.3.4")
        if mail.needs_utf8 and not self._has_utf8:
            return SendResult(
                outcome=Outcome.PERMANENT,
                error_code="address_not_supported",
                detail="The mail server takes no addresses with letters beyond ASCII before the @ (SMTPUTF8).",
            )
        wire.ends_at = ends_at
        try:
            return self._announce(wire, mail) or self._transmit(wire, mail)
        except LinkLost:
            raise
        except BaseException:
            self._drop()  # nobody knows what it expects next
            raise

    def _announce(self, wire: Wire, mail: Mail) -> SendResult | None:
        """MAIL, RCPT, DATA; None when the server waits for the mail."""
        try:
            replies = self._ask_all(wire, mail)
        except TimeoutError:
            self._drop()
            return _not_handed_over("The mail server did not answer in time.", error_code="timeout")
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise LinkLost(_not_handed_over(f"The connection ended before the hand-over: {_plain(error)}")) from error
        failed = next((each for each in replies if not _is_fine(each)), None)
        if failed is None:
            return None
        if replies[-1].code == GO_AHEAD:
            self._drop()  # it waits for content that nobody may send
        self._needs_reset = True
        result = refused(failed.stage, failed.code, failed.words)
        if failed.code == SERVICE_CLOSING:
            self._drop()
            raise LinkLost(result)
        if not 400 <= failed.code < 600:
            self._drop()
            raise LinkLost(_not_handed_over(f"The mail server answered {failed.stage} with {failed.code}."))
        return result

    def _ask_all(self, wire: Wire, mail: Mail) -> list[_Reply]:
        options = f" SIZE={len(mail.content)}" if self._size else ""
        options += " SMTPUTF8 BODY=8BITMIME" if mail.needs_utf8 else ""
        commands = [
            (Stage.MAIL, f"MAIL FROM:<{mail.sender}>{options}\r\n"),
            (Stage.RCPT, f"RCPT TO:<{mail.recipient}>\r\n"),
            (Stage.DATA, "DATA\r\n"),
        ]
        if self._needs_reset:
            commands.insert(0, (Stage.HELLO, "RSET\r\n"))
            self._needs_reset = False
        if self._has_pipelining:
            wire.put("".join(command for _, command in commands).encode())
            return [_Reply(stage, *_read(wire)) for stage, _ in commands]
        replies: list[_Reply] = []
        for stage, command in commands:
            wire.put(command.encode())
            replies.append(_Reply(stage, *_read(wire)))
            if not _is_fine(replies[-1]):
                break
        return replies

    def _transmit(self, wire: Wire, mail: Mail) -> SendResult:
        """From the first byte on the server may have it, whatever happens: only its answer decides."""
        try:
            wire.put(_stuffed(mail.content))
            code, words = _read(wire)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            is_late = isinstance(error, TimeoutError)
            detail = "No answer in time" if is_late else f"The connection ended before the answer: {_plain(error)}"
            return SendResult(outcome=Outcome.UNKNOWN, error_code="timeout" if is_late else "cut_off", detail=detail)
        self._used_at = time.monotonic()
        if is_yes(code):
            return accepted(words)
        if not 400 <= code < 600:
            self._drop()
            return SendResult(
                outcome=Outcome.UNKNOWN,
                error_code="odd_answer",
                provider_code=str(code),
                detail=f"The mail server answered the mail with {code}.",
            )
        if code == SERVICE_CLOSING:
            self._drop()
        return refused(Stage.DOT, code, words)


def _read(wire: Wire) -> tuple[int, str]:
    code, words = wire.getreply()
    return code, _text(words)


def _is_fine(reply: _Reply) -> bool:
    return reply.code == GO_AHEAD if reply.stage is Stage.DATA else is_yes(reply.code)


def _stuffed(content: bytes) -> bytes:
    """With the final dot; a line that begins with one gets another (RFC 5321, 4.5.2)."""
    content = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _not_handed_over(detail: str, *, error_code: str = "not_handed_over") -> SendResult:
    return SendResult(outcome=Outcome.TRANSIENT, error_code=error_code, detail=detail)


def _shut(wire: Wire | None) -> None:
    if wire is not None:
        wire.close()


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def _plain(error: Exception) -> str:
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)
