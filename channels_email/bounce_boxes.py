"""Mailboxes that bounces wait in, as sources of news; and the one that is a folder on this machine (maildir).

A mail leaves its place only after what it tells was recorded. What is no news stays where people see it, flagged.
"""

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from channels_email.bounce_intake import IncomingMail, count, judge
from channels_email.bounces import NoBounce
from channels_email.mail_parts import LARGEST_MAIL
from gateway.channel_contract import NewsAway, ProviderNews

#: Mails of one look, and the bytes of them after which no further one is fetched.
MOST_MAILS, MOST_BYTES = 200, 20 * 1024 * 1024

Handle = TypeVar("Handle")


class Seen(NamedTuple):
    """One mail as it would be taken."""

    #: How its mailbox calls it.
    name: str
    judged: ProviderNews | NoBounce


class BounceBox(ABC, Generic[Handle]):
    """Implements `gateway.channel_contract.NewsSource`. Each step raises `NewsAway`."""

    def __init__(self) -> None:
        #: By the id of the news: the mails that tell it.
        self._told: dict[str, list[Handle]] = {}

    @abstractmethod
    def fetch(self, limit: int) -> list[tuple[Handle, IncomingMail]]:
        """Mails nobody has dealt with, and how to call them; the mailbox stays open."""

    @abstractmethod
    def put_away(self, handles: Sequence[Handle]) -> None:
        """These are recorded."""

    @abstractmethod
    def set_aside(self, handles: Sequence[Handle]) -> None:
        """These are for people to look at, and not fetched again."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the mailbox."""

    def collect_news(self, limit: int) -> list[ProviderNews]:
        """What the mails tell. Those that are no news are set aside at once."""
        fetched = self.fetch(min(limit, MOST_MAILS))
        judged = judge([mail for _, mail in fetched])
        aside: list[Handle] = []
        news: dict[str, ProviderNews] = {}
        self._told = {}
        for (handle, _), each in zip(fetched, judged, strict=True):
            count(each)
            if isinstance(each, NoBounce):
                aside.append(handle)
            else:
                news[each.event_id] = each
                self._told.setdefault(each.event_id, []).append(handle)
        if aside:
            self.set_aside(aside)
        if not news:
            self.close()
        return list(news.values())

    def confirm_news(self, news: Iterable[ProviderNews]) -> None:
        """The mails are put away."""
        self.put_away([handle for each in news for handle in self._told.pop(each.event_id, ())])
        self.close()

    def look(self, limit: int) -> list[Seen]:
        """What would be taken; nothing is changed."""
        fetched = self.fetch(min(limit, MOST_MAILS))
        self.close()
        return [
            Seen(str(handle), each)
            for (handle, _), each in zip(fetched, judge([mail for _, mail in fetched]), strict=True)
        ]


class BounceFolder(BounceBox[str]):
    """A maildir: mails are taken from `new/` and kept in `cur/`; S: read, F: flagged for people."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._new, self._cur = folder / "new", folder / "cur"

    def fetch(self, limit: int) -> list[tuple[str, IncomingMail]]:
        """The first by name, which is by time. Only plain files."""
        found: list[tuple[str, IncomingMail]] = []
        size = 0
        try:
            names = sorted(each for each in os.listdir(self._new) if not each.startswith("."))
            for name in names:
                if len(found) >= limit or size >= MOST_BYTES:
                    break
                content = _content(self._new / name)
                if content is not None:
                    size += len(content)
                    found.append((name, IncomingMail(content=content)))
        except OSError as error:
            raise NewsAway(f"BOUNCE_MAILDIR cannot be read: {error.strerror}: {error.filename}") from error
        return found

    def put_away(self, handles: Sequence[str]) -> None:
        """Into `cur/`, read."""
        self._move(handles, "S")

    def set_aside(self, handles: Sequence[str]) -> None:
        """Into `cur/`, flagged: mail programs show them as unread and important."""
        self._move(handles, "F")

    def close(self) -> None:
        """Nothing is open."""

    def _move(self, names: Sequence[str], flag: str) -> None:
        try:
            self._cur.mkdir(exist_ok=True)
            for name in names:
                try:
                    (self._new / name).rename(self._cur / f"{name.partition(':')[0]}:2,{flag}")
                except FileNotFoundError:  # another process was faster
                    continue
        except OSError as error:
            raise NewsAway(f"BOUNCE_MAILDIR cannot be written: {error.strerror}: {error.filename}") from error


def _content(path: Path) -> bytes | None:
    """As much of it as is read. None for what is no plain file, or gone."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(file, "rb") as stream:
        return stream.read(LARGEST_MAIL)
