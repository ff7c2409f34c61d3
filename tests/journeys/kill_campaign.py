"""Two consumers and a sweeper, killed with SIGKILL again and again, with a provider that writes down what it takes.

`python -m tests.journeys.kill_campaign FOLDER DATABASE` until a line or the end of its standard input; then everybody
is asked to stop and the number of kills is printed. The children are forked from one process that has everything
loaded: a process that starts in the ordinary way would be killed before it had begun.

The children run the real commands. What is changed for them is changed here and nowhere in the product: the table of
providers, and how long a silent consumer is waited for.
"""

import os
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings

LOG = "accepted_by_provider.log"
#: Where the children find the provider: this module is `__main__` to them.
PROVIDER = "tests.journeys.kill_campaign.LoggingProvider"
#: From one kill to the next, in seconds.
PAUSE = (0.1, 0.4)
#: A kill waits until so many more messages went out, so that a slow machine gets forward too; and how long at most.
GROWTH, LONGEST_PAUSE = 5, 1.5
#: Who runs, and how often each is the victim, relative to the others.
COMMANDS = {"consumer-1": 5, "consumer-2": 5, "sweeper": 1}


class LoggingProvider:
    """Takes a message by writing its notification's id to a log; the answer may come a little later, or "busy"."""

    name = "logging"
    reports_delivery = False

    def connect(self) -> None:
        self._random = random.Random()  # noqa: S311  no secret; each process its own
        self._log = os.open(Path(settings.VAR_DIR) / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def send(self, messages: Sequence) -> Iterator:
        from gateway.channel_contract import Outcome, SendResult

        for message in messages:
            if self._random.random() < 0.05:
                yield SendResult(outcome=Outcome.TRANSIENT, error_code="busy")
                continue
            time.sleep(self._random.uniform(0, 0.005))
            os.write(self._log, f"{message.notification_id}\n".encode())
            # It has it. Whoever is killed now does not know.
            time.sleep(self._random.uniform(0, 0.02))
            yield SendResult(outcome=Outcome.ACCEPTED)

    def close(self) -> None:
        """The end of the process closes the log."""


def prepare(folder: str, database: str) -> None:
    """Everything loaded and set, no connection opened: the children must not share one."""
    os.environ["VAR_DIR"] = folder
    settings.DATABASES["default"]["NAME"] = database
    django.setup()

    from channels_email import channel
    from consumers import delivery
    from consumers.delivery_rules import DeliveryRules, Rules
    from consumers.management.commands import run_email_consumer, run_sweeper  # noqa: F401  loaded once for all
    from gateway import outbox, tracking
    from users.channels import Channel

    channel.PROVIDERS["capture"] = PROVIDER
    settings.DELIVERY_RULES = DeliveryRules(
        default=Rules(
            max_attempts=1000,
            first_retry=timedelta(milliseconds=100),
            longest_retry=timedelta(seconds=1),
            breaker_pause=timedelta(milliseconds=500),
        )
    )
    # So many die here that innocents would be taken for poison.
    outbox.POISON_AFTER = 1000
    outbox.CLAIM_LEASE = timedelta(milliseconds=1500)
    delivery.HAND_OVER_WITHIN = timedelta(seconds=1)
    delivery.HAND_OVER_ENDS_AFTER = timedelta(milliseconds=500)
    tracking.SENDING_LEASE = timedelta(seconds=1)
    tracking.SENDING_GRACE = timedelta(milliseconds=500)
    tracking.RESEND_AFTER = {Channel.EMAIL: timedelta(milliseconds=700)}


def start(name: str, folder: Path) -> int:
    """The pid of a new child that plays its part until it dies."""
    pid = os.fork()
    if pid:
        return pid
    try:
        output = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        from django.core.management import call_command

        if name == "sweeper":
            call_command("run_sweeper")
        else:
            call_command("run_email_consumer", "--name", name, "--port", "0")
    except BaseException:  # noqa: BLE001  the child says why, and ends
        traceback.print_exc()
        os._exit(1)  # back in the caller's loop there would be two of it
    os._exit(0)


def is_told_to_stop(within: float) -> bool:
    return bool(select.select([sys.stdin], [], [], within)[0])


def wait_for_traffic(log: Path) -> None:
    """Until the provider has taken some more, or nothing seems to happen."""
    ends_at, begin = time.monotonic() + LONGEST_PAUSE, _lines(log)
    while _lines(log) < begin + GROWTH and time.monotonic() < ends_at:
        time.sleep(0.01)


def _lines(log: Path) -> int:
    return log.stat().st_size // 37 if log.exists() else 0


def main(folder: str, database: str, seed: str) -> None:
    prepare(folder, database)
    chance = random.Random(seed)  # noqa: S311  the campaign can be repeated
    children = {name: start(name, Path(folder)) for name in COMMANDS}
    kills = 0
    while not is_told_to_stop(chance.uniform(*PAUSE)):
        wait_for_traffic(Path(folder) / LOG)
        (name,) = chance.choices(list(COMMANDS), COMMANDS.values())
        os.kill(children[name], signal.SIGKILL)
        status = os.waitpid(children[name], 0)[1]
        if os.WIFEXITED(status):
            sys.exit(f"{name} ended by itself with {os.WEXITSTATUS(status)}; see {folder}/{name}.log")
        kills += 1
        children[name] = start(name, Path(folder))
    for pid in children.values():
        os.kill(pid, signal.SIGTERM)
    for pid in children.values():
        os.waitpid(pid, 0)
    print(kills)


if __name__ == "__main__":
    main(*sys.argv[1:])
