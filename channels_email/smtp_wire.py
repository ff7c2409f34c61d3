"""smtplib with one deadline for everything: however slowly the bytes drip, nobody waits longer than they want."""

import re
import smtplib
import socket
import ssl
import time

from channels_email.mail_server import MailServer, Security

#: Bytes of one line of a reply.
LONGEST_LINE = 64 * 1024
#: Lines of one reply.
MOST_LINES = 200
#: Code, a hyphen where another line follows, words (RFC 5321, 4.2).
_LINE = re.compile(rb"(\d{3})(?:([ -])([^\n]*)|\r*)\n")


class Wire(smtplib.SMTP):
    """A connection until `ends_at` (monotonic), which whoever uses it sets before each conversation."""

    def __init__(self, server: MailServer, tls: ssl.SSLContext | None) -> None:
        self._tls_at_once = tls if server.security is Security.TLS else None
        self._received = bytearray()
        self.ends_at = 0.0
        super().__init__(local_hostname=server.name)
        self._host = server.host  # for the name in its certificate; without a connection smtplib does not set it

    def left(self) -> float:
        """Seconds until the deadline; raises TimeoutError when there are none."""
        seconds = self.ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # as smtplib.SMTP_SSL does
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for number, (*_, address) in enumerate(found, start=1):
            try:
                # The time that is left is for all addresses.
                made = socket.create_connection(
                    (str(address[0]), port), timeout=self.left() / (len(found) - number + 1)
                )
            except OSError:
                if number == len(found):
                    raise
            else:
                break
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.settimeout(self.left())
        return self._tls_at_once.wrap_socket(made, server_hostname=host) if self._tls_at_once else made

    def getreply(self) -> tuple[int, bytes]:
        lines: list[bytes] = []
        while len(lines) <= MOST_LINES:
            if found := _LINE.match(self._received):
                code, mark, words = found.groups()
                del self._received[: found.end()]
                lines.append((words or b"").rstrip(b"\r"))
                if mark != b"-":
                    return int(code), b"\n".join(lines)
            elif b"\n" in self._received or len(self._received) > LONGEST_LINE:
                break
            else:
                self._receive()
        self.close()
        raise smtplib.SMTPServerDisconnected("It does not speak SMTP.")

    def _receive(self) -> None:
        """What the server has said since."""
        data = b""
        if self.sock is not None:
            self.sock.settimeout(self.left())
            data = self.sock.recv(8192)
        if not data:
            self.close()
            raise smtplib.SMTPServerDisconnected("It closed the connection.")
        self._received += data

    def encrypt(self, tls: ssl.SSLContext) -> tuple[int, bytes]:
        """STARTTLS. What came in the open after it could be anybody's."""
        if self.sock is not None:
            self.sock.settimeout(self.left())
        answer = self.starttls(context=tls)
        self._received.clear()
        return answer

    def put(self, data: bytes) -> None:
        """All of it."""
        if self.sock is not None:
            self.sock.settimeout(self.left())
        self.send(data)
