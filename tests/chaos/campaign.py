"""One campaign: servers and processes of its own, clients, a nemesis, calm, and the judgement."""

import json
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from consumers.ports import says_yes
from tests.chaos import evidence, report
from tests.chaos.cast import Cast
from tests.chaos.checker import judge
from tests.chaos.client import Clients
from tests.chaos.guardian import Guarded
from tests.chaos.nemesis import USUAL, Nemesis
from tests.chaos.nursery import ROOT, UNLIMITED, Nursery
from tests.chaos.scene import CLIENT_LOG
from tests.chaos.servers import RabbitmqServer, RedisServer, answers, free_ports
from tests.postgresql_server import PostgresqlServer

#: Leases and waits are so many times shorter: a claim 3 s, a hand-over 4.5 s and 6 s of grace, a doubt 6 s.
TIME_SCALE = 10
#: Longer than all of these together.
LONGEST_FREEZE = 13.0
#: Seconds the mail server is waited for: 30, on the same scale.
PROVIDER_TIMEOUT = 3
TRIES = 50
#: 30 s and 15 min, on the same scale.
RULES_OF_DELIVERY = "email.breaker_pause=3s"
LOG, RULES = "provider.log", "rules.json"
#: Seconds between two looks of the loop, and between two lines of progress.
TICK, TELL_EVERY = 0.05, 0.5


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How long and how much."""

    notifications: int
    #: Seconds over which they are submitted, and the blows fall; and at most, where the machine is slower than that.
    storm: float
    longest_storm: float
    #: Seconds in which everything is to come to rest.
    calm: float
    clients: int = 6


PROFILES = {
    "ci": Profile(notifications=1_000, storm=42, longest_storm=60, calm=180),
    "quick": Profile(notifications=4_000, storm=200, longest_storm=270, calm=200),
    "full": Profile(notifications=20_000, storm=600, longest_storm=1500, calm=600),
}


class Stopped(Exception):
    """Somebody pressed Ctrl-C."""


class Campaign:
    """`run` returns the result; everything it started is gone by then, whatever happened."""

    def __init__(self, profile: Profile, *, seed: int, say: Callable[[str], None], keep: Path | None = None) -> None:
        self._profile, self._seed, self._say, self._keep = profile, seed, say, keep
        self._told_at = 0.0

    def run(self) -> dict:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        with Guarded() as guarded:
            self._folder = guarded.folder
            began = time.monotonic()
            self._start()
            self._database = evidence.postgresql(self._url)
            storm_ended = self._storm()
            seconds_to_recover = self._calm(storm_ended)
            ends = self._cast.stop()
            result = self._judge(seconds_to_recover) | {"ends": ends}
            if self._keep is not None:
                self._keep.mkdir(parents=True, exist_ok=True)
                for log in [*self._folder.glob("*.log"), *self._folder.glob("rabbitmq/output")]:
                    shutil.copy(log, self._keep)
            return result | {"seconds": round(time.monotonic() - began)}

    # --- before -------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._say("Starting PostgreSQL, RabbitMQ, Redis and a mail server …")
        ports = free_ports(7)
        self._postgresql = PostgresqlServer(port=ports[0])
        self._rabbitmq = RabbitmqServer(self._folder, ports[1:4])
        self._rabbitmq.launch()
        self._redis = RedisServer(self._folder, ports[4])
        self._redis.start()
        self._start_mail_server(ports[5])
        self._postgresql.make()
        self._postgresql.start()
        self._url = self._postgresql.create_database("chaos")
        self._say("Preparing the installation …")
        variables = self._variables(web=ports[6], mail=ports[5])
        self._nursery = Nursery(self._folder, **variables)
        scene = self._nursery.wait_until_ready()
        while not self._rabbitmq.is_up():
            time.sleep(TICK)
        self._cast = Cast(self._folder, self._nursery, port=ports[6], variables=variables)
        self._cast.start()
        while not says_yes("/health/ready", port=ports[6]):
            self._cast.look_after()
            time.sleep(TICK)
        self._clients = Clients(
            port=ports[6],
            key=scene["key"],
            people=scene["people"],
            count=self._profile.notifications,
            seconds=self._profile.storm,
            seed=self._seed,
            log=self._folder / CLIENT_LOG,
            threads=self._profile.clients,
        )

    def _start_mail_server(self, port: int) -> None:
        rules = self._folder / RULES
        rules.write_text(json.dumps(USUAL))
        line = [sys.executable, "-m", "channels_email.standins.smtp_server", "--port", str(port)]
        with (self._folder / "mail_server.log").open("w") as output:
            subprocess.Popen(
                [*line, "--log", str(self._folder / LOG), "--rules", str(rules)], cwd=ROOT, stdout=output, stderr=output
            )
        while not answers(port):
            time.sleep(TICK)

    def _variables(self, *, web: int, mail: int) -> dict[str, str]:
        return {
            "VAR_DIR": str(self._folder),
            "ENVIRONMENT": "local",
            "PORT": str(web),
            "DATABASE_URL": self._url,
            "REDIS_URL": self._redis.url,
            "RABBITMQ_URL": self._rabbitmq.url,
            "RABBITMQ_PREFIX": "",
            "EMAIL_PROVIDERS": "smtp",
            "EMAIL_URL": f"smtp://127.0.0.1:{mail}?timeout={PROVIDER_TIMEOUT}",
            "MAX_ATTEMPTS": str(TRIES),
            "DELIVERY_RULES": RULES_OF_DELIVERY,
            "DELIVERY_TIME_SCALE": str(TIME_SCALE),
            "FAILPOINTS": "",
            "RATE_LIMITS": UNLIMITED,
        }

    # --- the storm, and after -----------------------------------------------------------------------------------------

    def _storm(self) -> float:
        """Returns when the last blow fell and everything was mended."""
        nemesis = Nemesis(
            seed=self._seed,
            cast=self._cast,
            rabbitmq=self._rabbitmq,
            postgresql=self._postgresql,
            redis=self._redis,
            rules=self._folder / RULES,
            log=self._folder / "nemesis.log",
            longest_freeze=LONGEST_FREEZE,
        )
        self._counts = nemesis.counts
        self._clients.start()
        self._storm_began = time.monotonic()
        while self._is_stormy():
            nemesis.act()
            self._cast.look_after()
            self._tell(nemesis.mood)
            time.sleep(TICK)
        nemesis.end()
        return time.monotonic()

    def _is_stormy(self) -> bool:
        passed = time.monotonic() - self._storm_began
        return passed < self._profile.storm or (passed < self._profile.longest_storm and not self._clients.is_done())

    def _calm(self, since: float) -> float | None:
        """Seconds until nothing was under way any more; None when that did not come about."""
        while time.monotonic() < since + self._profile.calm:
            self._cast.look_after()
            if self._clients.is_done() and self._open() == 0:
                return round(time.monotonic() - since, 1)
            self._tell("calm")
            time.sleep(TICK * 4)
        self._clients.stopping.set()
        return None

    def _open(self) -> int | None:
        """How many are under way; None while the database does not say."""
        try:
            return self._database(evidence.UNSETTLED)[0][0]
        except psycopg.Error:
            return None

    def _tell(self, mood: str) -> None:
        if time.monotonic() < self._told_at + TELL_EVERY:
            return
        self._told_at = time.monotonic()
        taken = (self._folder / LOG).read_bytes().count(b"\n") if (self._folder / LOG).exists() else 0
        still = self._open() if mood == "calm" else None
        self._say(
            f"{time.monotonic() - self._storm_began:5.0f} s  acknowledged {self._clients.acknowledged}"
            f"/{self._profile.notifications}  taken {taken}  blows {sum(self._counts.values())}"
            + (f"  under way {still}" if still is not None else "")
            + f"  {mood}"
        )

    # --- the judgement ------------------------------------------------------------------------------------------------

    def _judge(self, seconds_to_recover: float | None) -> dict:
        logs = {"client_log": self._folder / CLIENT_LOG, "provider_log": self._folder / LOG}
        found = judge(evidence.gather(**logs, database=self._database))
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "profile": asdict(self._profile),
            "seed": self._seed,
            "time_scale": TIME_SCALE,
            "machine": report.machine(),
            "versions": self._versions(),
            "found": report.figures(found),
            "seconds_to_recover": seconds_to_recover,
            "nemesis": dict(sorted(self._counts.items())),
            "starts": dict(self._cast.starts),
            "ended_by_themselves": dict(self._cast.own_ends),
            "client": {"tries": self._clients.tries, "refusal": self._clients.refusal},
            "stories": report.stories(found, database=self._database, folder=self._folder),
        }

    def _versions(self) -> dict[str, str]:
        postgresql = self._postgresql.execute("SHOW server_version")[0][0].split()[0]
        output = (self._folder / "rabbitmq" / "output").read_text(errors="replace")
        rabbitmq = next((line.split()[-1] for line in output.splitlines() if "RabbitMQ" in line), "unknown")
        redis = answers_version(self._redis.port)
        return {"python": platform.python_version(), "postgresql": postgresql, "rabbitmq": rabbitmq, "redis": redis}


def answers_version(port: int) -> str:
    words = answers(port, b"INFO server\r\n").decode(errors="replace")
    return next((line.partition(":")[2] for line in words.splitlines() if line.startswith("redis_version")), "unknown")


def _stop(number: int, frame: object) -> None:
    raise Stopped


def write(result: dict, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2, default=str) + "\n", encoding="utf-8")
