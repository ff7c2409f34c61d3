"""A mail server for tests, chaos and benchmarks: real SMTP, and a log of what it took responsibility for.

`python -m channels_email.standins.smtp_server --port 2525 --log accepted.jsonl --rules rules.json`

Each accepted message is one line of JSON, written at the moment of accepting: after the final dot, before the answer.
Whoever kills the client in between finds it in the log. What goes wrong is said in `smtp_rules.py`.
"""

import argparse
import asyncio
import json
import os
import signal
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from channels_email.standins.certificates import self_made_certificate
from channels_email.standins.smtp_rules import Rule, RuleBook
from channels_email.standins.smtp_session import Offer, Received, Session


class AcceptanceLog:
    """One line per accepted message. Appended by a single write: nothing is lost or torn when somebody is killed."""

    def __init__(self, file: Path | None) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if file else None

    def write(self, message: Received) -> None:
        """Before the answer is given."""
        if self._file is None:
            return
        line = {
            "time": time.time(),
            "notification_id": header(message.content, b"X-Notification-ID"),
            "message_id": header(message.content, b"Message-ID"),
            "recipient": ",".join(message.recipients),
            "connection": message.connection,
            "sequence": message.sequence,
            "size": len(message.content),
        }
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def header(content: bytes, name: bytes) -> str:
    """The value of a header on one line; empty when it is not there."""
    head = b"\r\n" + content[: content.find(b"\r\n\r\n") + 2]
    at = head.lower().find(b"\r\n" + name.lower() + b":")
    if at < 0:
        return ""
    begin = at + len(name) + 3
    return head[begin : head.find(b"\r\n", begin)].decode("utf-8", "replace").strip()


class SmtpServer:
    """Runs on a thread of its own from `start()` to `stop()`, or as a context manager; `port=0` takes a free one."""

    def __init__(
        self,
        *,
        port: int = 0,
        log: Path | None = None,
        rules: Sequence[Rule] = (),
        rule_file: Path | None = None,
        offer: Offer | None = None,
        certificate: Path | None = None,
        keep: bool = True,
    ) -> None:
        self.port = port
        self.offer = offer or Offer()
        self.certificate = certificate
        self.book = RuleBook(rules, rule_file)
        #: What was accepted, with `keep`.
        self.messages: list[Received] = []
        #: Every command of every connection, with `keep`; passwords are in it.
        self.commands: list[str] = []
        self.connection_count = 0
        self.accepted_count = 0
        self.sessions: set[Session] = set()
        self.tls = self._tls_context()
        self._log = AcceptanceLog(log)
        self._keep = keep
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._listener: asyncio.Server | None = None

    # --- life ---------------------------------------------------------------------------------------------------------
    def start(self) -> "SmtpServer":
        self._loop.run_until_complete(self._listen())
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-stand-in", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Nobody is answered any more; open connections are cut."""
        if self._thread is not None:
            self.cut_connections()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._thread = None
        self._close()

    def cut_connections(self) -> None:
        """As a server that dies, and comes back at once."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self._cut, done)
        done.wait(5)

    def run_here(self) -> None:
        """Until SIGTERM or SIGINT, in this process's main thread."""
        for each in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(each, self._loop.stop)
        self._loop.run_until_complete(self._listen())
        _say(f"The stand-in mail server listens on 127.0.0.1:{self.port}.")
        self._loop.run_forever()
        self._close()

    def __enter__(self) -> "SmtpServer":
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    async def _listen(self) -> None:
        tls = self.tls if self.offer.implicit_tls else None
        self._listener = await self._loop.create_server(
            lambda: Session(self), "127.0.0.1", self.port, ssl=tls, backlog=512
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    def _cut(self, done: threading.Event) -> None:
        for session in list(self.sessions):
            session.cut()
        # What was cut is closed in the next turn.
        self._loop.call_soon(self._loop.call_soon, done.set)

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()  # also of a server that was never started
        self._log.close()

    def _tls_context(self) -> ssl.SSLContext | None:
        if not (self.offer.starttls or self.offer.implicit_tls):
            return None
        if self.certificate is None:
            raise ValueError("TLS needs a certificate.")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        return context

    # --- what sessions tell -------------------------------------------------------------------------------------------
    def accept(self, message: Received) -> None:
        """The server takes responsibility."""
        self.accepted_count += 1
        self._log.write(message)
        if self._keep:
            self.messages.append(message)

    def note(self, command: str) -> None:
        if self._keep:
            self.commands.append(command)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--log", type=Path, help="file to which each accepted message is appended")
    parser.add_argument("--rules", type=Path, help="file with rules as JSON; read again when it changes")
    parser.add_argument("--tls", choices=("none", "starttls", "implicit"), default="none")
    parser.add_argument("--certificate", type=Path, help="key and certificate in one file; made when not given")
    parser.add_argument("--user", help="name and password, separated by a colon, that AUTH takes")
    parser.add_argument("--size", type=int, default=Offer.size, help="bytes of a message; 0 offers none")
    parser.add_argument("--without", nargs="*", default=[], choices=("pipelining", "8bitmime", "smtputf8"))
    options = parser.parse_args(arguments)
    name, _, password = (options.user or "").partition(":")
    offer = Offer(
        pipelining="pipelining" not in options.without,
        eight_bit="8bitmime" not in options.without,
        smtputf8="smtputf8" not in options.without,
        size=options.size,
        starttls=options.tls == "starttls",
        implicit_tls=options.tls == "implicit",
        users={name: password} if name else {},
    )
    with tempfile.TemporaryDirectory() as folder:
        certificate = options.certificate
        if options.tls != "none" and certificate is None:
            certificate = self_made_certificate(Path(folder))
            _say(f"The certificate is {certificate}.")
        try:
            server = SmtpServer(
                port=options.port,
                log=options.log,
                rule_file=options.rules,
                offer=offer,
                certificate=certificate,
                keep=False,
            )
            server.run_here()
        except (ValueError, OSError) as error:
            raise SystemExit(f"The stand-in mail server cannot run: {error}") from error


if __name__ == "__main__":
    main()
