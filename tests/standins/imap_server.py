"""A mailbox for tests: as much of IMAP4rev1 (RFC 3501, 4315, 6851) as a reader of mails needs, over real sockets.

What goes wrong is asked for by `faults`: a command's name → "no", "bye", "hang", "drip" or "rubbish".
"""

import base64
import contextlib
import re
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path

_ARGUMENTS = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\([^)]*\))|(\S+)')


@dataclass
class StoredMail:
    uid: int
    content: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """Runs on threads of its own from `start()` to `stop()`, or as a context manager."""

    def __init__(
        self,
        *,
        user: str = "returns",
        password: str = "s3cret",  # noqa: S107  of this stand-in
        certificate: Path | None = None,
        at_once: bool = False,
        capabilities: str = "UIDPLUS MOVE AUTH=PLAIN",
        prefix: str = "",
        mailbox: str = "INBOX",
    ) -> None:
        self.user, self.password, self.prefix = user, password, prefix
        self.capabilities = capabilities
        self.folders: dict[str, list[StoredMail]] = {mailbox: []}
        self.mailbox = mailbox
        self.faults: dict[str, str] = {}
        self.commands: list[str] = []
        self.greeting = "* OK ready"
        self.may_create = True
        self.released = threading.Event()
        self._next_uid = 100
        self.tls: ssl.SSLContext | None = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)
        self.at_once = at_once

    def put(self, content: bytes, folder: str = "", *flags: str) -> StoredMail:
        """A new mail, with the line ends of the wire."""
        mail = StoredMail(self.new_uid(), content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), set(flags))
        self.folders.setdefault(folder or self.mailbox, []).append(mail)
        return mail

    def new_uid(self) -> int:
        self._next_uid += 1
        return self._next_uid

    def start(self) -> "ImapServer":
        this = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    _Session(this, self.request).serve()

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._listener = Listener(("127.0.0.1", 0), Handler)
        self.port = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self.released.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()

    def __enter__(self) -> "ImapServer":
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()


class _Bye(Exception):
    pass


class _Session:
    def __init__(self, server: ImapServer, connection) -> None:
        self.server = server
        self.socket = connection
        if server.tls and server.at_once:
            self.socket = server.tls.wrap_socket(connection, server_side=True)
        self.reader = self.socket.makefile("rb")
        self.is_known = False
        self.is_encrypted = server.at_once
        self.selected = ""

    def serve(self) -> None:
        self.say(self.server.greeting)
        try:
            while line := self.reader.readline():
                self.answer(line.rstrip(b"\r\n"))
        except _Bye:
            pass
        finally:
            self.reader.close()
            self.socket.close()

    def say(self, line: str | bytes) -> None:
        self.socket.sendall((line.encode() if isinstance(line, str) else line) + b"\r\n")

    def answer(self, line: bytes) -> None:
        tag, name, *arguments = _words(line)
        if name.upper() == "UID":
            name, arguments = f"UID {arguments[0]}", arguments[1:]
        name = name.upper()
        self.server.commands.append(f"{name} {' '.join(arguments)}".strip())
        self.misbehave(name)
        handler = getattr(self, name.lower().replace(" ", "_"), None)
        if handler is None:
            self.say(f"{tag} BAD unknown command")
        elif not self.is_known and name not in ("CAPABILITY", "STARTTLS", "LOGIN", "AUTHENTICATE", "LOGOUT"):
            self.say(f"{tag} BAD not now")
        else:
            self.say(f"{tag} {handler(*arguments)}")
            if name == "LOGOUT":
                raise _Bye
            if name == "STARTTLS":
                self.reader.close()
                self.socket = self.server.tls.wrap_socket(self.socket, server_side=True)
                self.reader, self.is_encrypted = self.socket.makefile("rb"), True

    def misbehave(self, name: str) -> None:
        fault = self.server.faults.get(name)
        if fault == "bye":
            self.say("* BYE restarting")
            raise _Bye
        if fault == "hang":
            self.server.released.wait(30)
            raise _Bye
        if fault == "drip":
            while not self.server.released.wait(0.02):
                self.socket.sendall(b"*")
            raise _Bye
        if fault == "rubbish":
            self.say(b"\xff\x00 what?")
            raise _Bye
        if fault == "huge":
            self.say("* 1 FETCH (UID 101 BODY[] {999999999}")
            raise _Bye

    # --- commands -----------------------------------------------------------------------------------------------------
    def capability(self) -> str:
        extra = " STARTTLS" if self.server.tls and not self.is_encrypted else ""
        self.say(f"* CAPABILITY IMAP4rev1 {self.server.capabilities}{extra}")
        return "OK done"

    def starttls(self) -> str:
        return "OK begin"

    def login(self, user: str, password: str) -> str:
        return self._enter(user, password)

    def authenticate(self, kind: str) -> str:
        self.say("+ ")
        _, user, password = base64.b64decode(self.reader.readline()).decode().split("\0")
        return self._enter(user, password)

    def _enter(self, user: str, password: str) -> str:
        self.is_known = (user, password) == (self.server.user, self.server.password)
        return "OK welcome" if self.is_known else f"NO [AUTHENTICATIONFAILED] not {user} with {password}"

    def logout(self) -> str:
        self.say("* BYE")
        return "OK bye"

    def select(self, name: str) -> str:
        if name not in self.server.folders:
            return "NO [NONEXISTENT] no such mailbox"
        self.selected = name
        self.say(f"* {len(self.mails)} EXISTS")
        self.say("* OK [UIDVALIDITY 1] ok")
        return "OK [READ-WRITE] selected"

    @property
    def mails(self) -> list[StoredMail]:
        return self.server.folders[self.selected]

    def create(self, name: str) -> str:
        if name in self.server.folders:
            return "NO [ALREADYEXISTS] it is there"
        if not self.server.may_create or not name.startswith(self.server.prefix):
            return "NO [CANNOT] not there"
        self.server.folders[name] = []
        return "OK created"

    def status(self, name: str, what: str) -> str:
        return "OK status" if name in self.server.folders else "NO no such mailbox"

    def uid_search(self, *keys: str) -> str:
        missing = {f"\\{key[2:].capitalize()}" for key in keys}
        found = [str(each.uid) for each in self.mails if not each.flags & missing]
        self.say(f"* SEARCH {' '.join(found)}".rstrip())
        return "OK found"

    def uid_fetch(self, uid: str, what: str) -> str:
        most = int(re.search(r"<0\.(\d+)>", what)[1])
        self.say("* 1 FETCH (FLAGS (\\Recent))")  # unasked, as servers do
        for number, each in enumerate(self._chosen(uid), start=1):
            content = each.content[:most]
            self.say(f"* {number} FETCH (UID {each.uid} BODY[]<0> {{{len(content)}}}")
            self.socket.sendall(content)
            self.say(")")
        return "OK fetched"

    def uid_store(self, uids: str, how: str, flags: str) -> str:
        for each in self._chosen(uids):
            each.flags |= set(flags.strip("()").split())
        return "OK stored"

    def uid_move(self, uids: str, folder: str) -> str:
        if "MOVE" not in self.server.capabilities:
            return "BAD unknown command"
        self._copy(uids, folder)
        self._remove(self._chosen(uids))
        return "OK moved"

    def uid_copy(self, uids: str, folder: str) -> str:
        self._copy(uids, folder)
        return "OK copied"

    def uid_expunge(self, uids: str) -> str:
        self._remove([each for each in self._chosen(uids) if "\\Deleted" in each.flags])
        return "OK gone"

    def _copy(self, uids: str, folder: str) -> None:
        for each in self._chosen(uids):
            self.server.folders[folder].append(StoredMail(self.server.new_uid(), each.content, set(each.flags)))

    def _remove(self, gone: list[StoredMail]) -> None:
        self.server.folders[self.selected] = [each for each in self.mails if each not in gone]

    def _chosen(self, uids: str) -> list[StoredMail]:
        wanted = {int(each) for each in uids.split(",")}
        return [each for each in self.mails if each.uid in wanted]


def _words(line: bytes) -> list[str]:
    """The words of a command; quotes are taken off."""
    return [
        re.sub(r"\\(.)", r"\1", found[1].decode()) if found[1] is not None else (found[2] or found[3]).decode()
        for found in _ARGUMENTS.finditer(line)
    ]
