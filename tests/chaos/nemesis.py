"""Breaks things by a seed: kills somebody every second, and one calamity after the other over servers and provider."""

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from tests.chaos.cast import WEB, Cast
from tests.chaos.servers import RabbitmqServer, RedisServer
from tests.postgresql_server import PostgresqlServer

#: Seconds from one kill to the next, and from one calamity to the next.
KILL_EVERY, CALAMITY_EVERY = 1.0, 3.0
#: Seconds the provider misbehaves, and a process stands still: shortly, and until everybody takes it for dead.
PROVIDER_TROUBLE, SHORT_FREEZE = 3.0, 1.0
#: Who is hit how often. A web process takes seconds to begin, the others come from the nursery.
WEIGHTS = {WEB: 1, "sweeper": 2, "relay-1": 2, "relay-2": 2, "email-1": 5, "email-2": 5, "email-3": 5}
#: Of the kills of the web, the part that hits its master; and seconds in which it is spared after one, and while it
#: does not serve yet.
MASTER, WEB_IS_SPARED = 0.25, 8.0
QUEUES = ["email.queue", "push.queue"]

#: As a server far away: there is something in hand nearly always, for a kill to hit.
USUAL = [{"at": "accepted", "delay": 0.04}]
#: What the mail server does instead of the usual. The first three leave a doubt, the last ones none.
PROVIDER_TROUBLES = {
    "provider_hangs": [{"at": "accepted", "act": "hang", "every": 4}, {"at": "dot", "act": "hang", "every": 7}],
    "provider_resets": [{"at": "accepted", "act": "close", "every": 5}, {"at": "dot", "act": "close", "every": 6}],
    "provider_is_slow": [{"at": "accepted", "delay": 0.3}],
    "provider_says_later": [{"at": "rcpt", "reply": "451 4.3.0 Busy.", "every": 2}],
    "provider_shuts_down": [{"at": "connect", "reply": "421 4.3.2 Shutting down."}, {"at": "mail", "act": "close"}],
}


class Calamity(Protocol):
    """Goes on by steps: each `next` says how many seconds to leave it alone. Never waits itself."""

    def __call__(self) -> Iterator[float]: ...


class Unharmed(Exception):
    """A blow that did nothing: the campaign would prove less than it says."""


class Nemesis:
    """`act` is called again and again and never waits; `end` lets everything come back."""

    def __init__(
        self,
        *,
        seed: int,
        cast: Cast,
        rabbitmq: RabbitmqServer,
        postgresql: PostgresqlServer,
        redis: RedisServer,
        rules: Path,
        log: Path,
        longest_freeze: float,
    ) -> None:
        self._chance = random.Random(seed)  # noqa: S311  the run can be repeated
        self._cast, self._rabbitmq, self._postgresql, self._redis = cast, rabbitmq, postgresql, redis
        self._rules, self._log = rules, log.open("a")
        self._longest_freeze = longest_freeze
        self.counts: Counter[str] = Counter()
        self._kill_at = self._calamity_at = time.monotonic()
        self._web_again_at = 0.0
        self._to_come: list[tuple[str, Callable[[], Iterator[float]]]] = []
        #: Under way: name, what goes on, when its next step is due.
        self._under_way: list[tuple[str, Iterator[float], float]] = []

    @property
    def mood(self) -> str:
        """What goes on, in a few words."""
        return " ".join(name for name, _, _ in self._under_way)

    def act(self) -> None:
        now = time.monotonic()
        if now >= self._kill_at:
            self._kill_at = now + KILL_EVERY * self._chance.uniform(0.6, 1.4)
            self._kill_somebody()
        if now >= self._calamity_at:
            self._calamity_at = now + CALAMITY_EVERY * self._chance.uniform(0.6, 1.4)
            self._begin_calamity()
        self._go_on()

    def end(self) -> None:
        """Everything that is broken is mended; waits for it."""
        for name, calamity, _ in self._under_way:
            self._note("goes to its end", name)
            for wait in calamity:
                time.sleep(wait)
        self._under_way.clear()
        for name in list(self._cast.frozen):
            self._cast.thaw(name)
        if not self._rabbitmq.is_up():
            self._rabbitmq.start()
        self._log.close()

    def _kill_somebody(self) -> None:
        names = [name for name in self._cast.names() if name != WEB or self._may_hit_web()]
        if not names:
            return
        (name,) = self._chance.choices(names, [WEIGHTS[name] for name in names])
        if name == WEB:
            self._web_again_at = time.monotonic() + WEB_IS_SPARED
        if name == WEB and self._chance.random() < MASTER:
            self._cast.kill_master()
            who = "web master"
        else:
            who = self._cast.kill(name)
        self.counts[f"killed: {who.rstrip('-0123456789')}"] += 1
        self._note("kill", who)

    def _may_hit_web(self) -> bool:
        if time.monotonic() < self._web_again_at:
            return False
        if not self._cast.web_serves():
            self._web_again_at = time.monotonic() + WEB_IS_SPARED
            return False
        return True

    def _begin_calamity(self) -> None:
        if not self._to_come:
            self._to_come = list(self._calamities().items())
            self._chance.shuffle(self._to_come)
        name, calamity = self._to_come.pop()
        if any(kind_of(name) == kind_of(other) for other, _, _ in self._under_way):
            self._to_come.insert(0, (name, calamity))  # one at a time of a kind
            return
        self.counts[name] += 1
        self._note("begins", name)
        self._under_way.append((name, calamity(), 0.0))

    def _go_on(self) -> None:
        still = []
        for name, calamity, due_at in self._under_way:
            if time.monotonic() < due_at:
                still.append((name, calamity, due_at))
                continue
            wait = next(calamity, None)
            if wait is None:
                self._note("is over", name)
            else:
                still.append((name, calamity, time.monotonic() + wait))
        self._under_way = still

    def _calamities(self) -> dict[str, Callable[[], Iterator[float]]]:
        found: dict[str, Callable[[], Iterator[float]]] = {
            "rabbitmq_restarts": lambda: self._restart_rabbitmq(signal.SIGTERM, wipe=False),
            "rabbitmq_is_killed": lambda: self._restart_rabbitmq(signal.SIGKILL, wipe=False),
            "rabbitmq_is_wiped": lambda: self._restart_rabbitmq(signal.SIGKILL, wipe=True),
            "rabbitmq_is_purged": self._purge,
            "redis_is_flushed": self._flush,
            "postgresql_crashes": self._crash_postgresql,
            "freeze_shortly": lambda: self._freeze(SHORT_FREEZE),
            "freeze_beyond_lease": lambda: self._freeze(self._longest_freeze),
        }
        for name, rules in PROVIDER_TROUBLES.items():
            found[name] = lambda rules=rules: self._trouble(rules)
        return found

    def _restart_rabbitmq(self, number: int, *, wipe: bool) -> Iterator[float]:
        self._rabbitmq.signal(number)
        while self._rabbitmq.is_running():
            yield 0.1
        if self._rabbitmq.is_up():
            raise Unharmed("RabbitMQ was to be stopped, and still answers.")
        if wipe:
            self._rabbitmq.wipe()
        yield self._chance.uniform(0.2, 1.5)
        self._rabbitmq.launch()
        while not self._rabbitmq.is_up():
            yield 0.2

    def _purge(self) -> Iterator[float]:
        if self._rabbitmq.is_up():
            self._rabbitmq.purge(QUEUES)
        yield 0

    def _flush(self) -> Iterator[float]:
        self._redis.flush()
        yield 0

    def _crash_postgresql(self) -> Iterator[float]:
        self._postgresql.stop("immediate")
        yield self._chance.uniform(0.1, 1.0)
        with ThreadPoolExecutor(1) as helper:
            started = helper.submit(self._postgresql.start)
            while not started.done():
                yield 0.1
        started.result()

    def _freeze(self, seconds: float) -> Iterator[float]:
        movable = [name for name in self._cast.names() if name != WEB]
        if movable:
            name = self._chance.choice(movable)
            self._note("freeze", name)
            self._cast.freeze(name)
            yield seconds
            self._cast.thaw(name)

    def _trouble(self, rules: list[dict]) -> Iterator[float]:
        self._tell_provider(rules)
        yield PROVIDER_TROUBLE
        self._tell_provider(USUAL)

    def _tell_provider(self, rules: list[dict]) -> None:
        draft = self._rules.with_suffix(".draft")
        draft.write_text(json.dumps(rules))
        draft.replace(self._rules)

    def _note(self, act: str, what: str) -> None:
        self._log.write(json.dumps({"time": time.time(), "act": act, "what": what}) + "\n")
        self._log.flush()


def kind_of(calamity: str) -> str:
    """Of two that concern the same thing, one at a time."""
    return calamity.partition("_")[0]
