"""What the stand-ins of mail services have in common.

A receiver chooses the answer: `ask-401@example.com`, `ask-suppressed.7@example.com` (behind the full stop may stand
anything), `ask-hang@…`, `ask-delay-300@…`. A rule for a receiver does the same, and one for `*` for all others.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parseaddr
from typing import Any, ClassVar

from gateway.standin_server import Asked, Given, StandIn, act_of

_ASKED = re.compile(r"ask-([A-Za-z0-9_-]+)(?:\..*)?@.*")
#: Answers that any service in front of a network gives now and then.
PAGES = {
    "502": Given(502, b"<html><body>502 Bad Gateway</body></html>"),
    "503": Given(503, b"<html><body>503 Service Temporarily Unavailable</body></html>"),
    "504": Given(504, b"<html><body>504 Gateway Time-out</body></html>"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One mail as the service has read it."""

    to: str
    subject: str
    #: All of it, as it came.
    whole: Any


class Refused(Exception):
    """The request itself is wrong."""

    def __init__(self, given: Given) -> None:
        super().__init__(str(given.status))
        self.given = given


class MailServiceStandIn(StandIn):
    """One service. `key` is the only one it takes."""

    #: Below the address.
    path: ClassVar[str] = ""
    #: The route for mails, and the one a key is tried with.
    sending: ClassVar[str] = ""
    asking: ClassVar[str] = ""
    #: By name, the documented errors.
    answers: ClassVar[Mapping[str, Given]] = {}
    not_found: ClassVar[Given] = Given(404, {"message": "Not Found"})

    def __init__(self, *, port: int = 0, key: str = "", keep: bool = True, delay_ms: int = 0) -> None:
        super().__init__(port=port)
        self.key = key or f"{self.name}-standin"
        self.accepted_count = 0
        self.asked_count = 0
        self._keep = keep
        self._act = f"delay-{delay_ms}" if delay_ms else ""

    @property
    def service_url(self) -> str:
        """As its setting wants it."""
        return self.url + self.path

    def exports(self) -> dict[str, str]:
        """The settings that point here."""
        raise NotImplementedError

    def let_in(self, asked: Asked) -> None:
        """Raises `Refused` for a wrong key."""
        raise NotImplementedError

    def read(self, asked: Asked) -> Taken:
        """Raises `Refused` for a mail the service would not read."""
        raise NotImplementedError

    def taken(self, mail: Taken) -> Given:
        """How it says yes."""
        raise NotImplementedError

    def about(self) -> Given:
        """What it says of the account."""
        return Given(200, {})

    def answer(self, asked: Asked) -> Given:
        """As the real one."""
        self.asked_count += 1
        try:
            self.let_in(asked)
            if asked.method == "GET" and asked.path == self.path + self.asking:
                return self.about()
            if asked.method != "POST" or not re.fullmatch(re.escape(self.path) + self.sending, asked.path):
                return self.not_found
            return self._to(self.read(asked))
        except Refused as refused:
            return refused.given

    def answer_names(self) -> list[str]:
        """Its own, and those of any service."""
        return [*self.answers, *PAGES]

    def _to(self, mail: Taken) -> Given:
        found = _ASKED.fullmatch(mail.to)
        wanted = self.wanted(mail.to, found[1] if found else "")
        known = {**PAGES, **self.answers}
        if wanted in known:
            return known[wanted]
        act = act_of(wanted)
        if act in ("hang", "reset"):
            return Given(200, act=act)
        said = self.taken(mail)
        if said.status < 300:
            self.accepted_count += 1
            if self._keep:
                self.accepted.append({"to": mail.to, "subject": mail.subject, "whole": mail.whole})
        return replace(said, act=act or self._act)


def bearer(asked: Asked) -> str:
    """The key of `Authorization: Bearer`."""
    scheme, _, key = asked.headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def address_of(mailbox: Any) -> str:
    """Out of `Ann <ann@example.com>`."""
    return parseaddr(str(mailbox))[1]
