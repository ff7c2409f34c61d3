"""A provider in the place of `capture` that takes a message by writing its notification's id to a log.

It has failpoints of its own, on the two sides of the moment it takes responsibility.
"""

import json
import os
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

NAME = "logging"
#: The same, but busy or slow now and then.
MOODY = "moody"
LOG = "provider.log"
#: While this file is there, it reports delivery of what it took.
REPORTS = "provider-reports"
REPORTED = "provider-reported"
#: Known to the failpoints of a process that has this provider.
PLACES = {
    "provider.reached": "the first byte has left … the provider takes the message",
    "provider.took": "the provider has taken the message … its answer is read",
}


def install() -> None:
    """In this process and in all it forks."""
    from channels_email import channel
    from gateway import failpoints

    failpoints.PLACES.update(PLACES)
    name = "MoodyProvider" if os.environ["CHAOS_PROVIDER"] == MOODY else "LoggingProvider"
    channel.PROVIDERS["capture"] = f"{__name__}.{name}"


class LoggingProvider:
    """Implements `gateway.channel_contract.Provider` and `NewsSource`."""

    name = NAME
    reports_delivery = False

    def connect(self) -> None:
        self._folder = _folder()
        self._log = os.open(self._folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def send(self, messages: Sequence) -> Iterator:
        from gateway.channel_contract import Outcome, SendResult
        from gateway.failpoints import failpoint

        for message in messages:
            failpoint("provider.reached")
            os.write(
                self._log,
                json.dumps({"notification_id": str(message.notification_id), "time": time.time()}).encode() + b"\n",
            )
            failpoint("provider.took")
            yield SendResult(outcome=Outcome.ACCEPTED)

    def close(self) -> None:
        """The end of the process closes the log."""

    def collect_news(self, limit: int) -> list:
        from gateway.channel_contract import EventType, ProviderNews

        folder = _folder()
        if not (folder / REPORTS).exists():
            return []
        told = set(_lines(folder / REPORTED))
        fresh = dict.fromkeys(each for each in taken_ids(folder / LOG) if str(each) not in told)
        return [
            ProviderNews(provider=NAME, event_id=str(each), notification_id=each, type=EventType.DELIVERED)
            for each in list(fresh)[:limit]
        ]

    def confirm_news(self, news: Iterable) -> None:
        with (_folder() / REPORTED).open("a") as file:
            file.writelines(f"{each.event_id}\n" for each in news)


class MoodyProvider(LoggingProvider):
    """Takes its time, and is busy for one in twenty: whoever is killed has something in hand."""

    def send(self, messages: Sequence) -> Iterator:
        from gateway.channel_contract import Outcome, SendResult

        chance = random.Random()  # noqa: S311  no secret; each process its own
        for message in messages:
            if chance.random() < 0.05:
                yield SendResult(outcome=Outcome.TRANSIENT, error_code="busy")
                continue
            time.sleep(chance.uniform(0, 0.005))
            (answer,) = super().send([message])
            # It has it. Whoever is killed now does not know.
            time.sleep(chance.uniform(0, 0.02))
            yield answer


def taken_ids(log: Path) -> list[UUID]:
    """Every id in a provider's log, once for each copy. The stand-in mail server writes the same lines."""
    return [UUID(json.loads(line)["notification_id"]) for line in _lines(log)]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _folder() -> Path:
    from django.conf import settings

    return Path(settings.VAR_DIR)
