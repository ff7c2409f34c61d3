"""Servers of the campaign's own; the shared ones of this machine are never touched. PostgreSQL's is in tests/."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pika

#: Seconds for a start on a busy machine.
PATIENCE = 90
FIRST_PORT = 21_500
#: One scheduler and no waiting in circles: the machine has others to serve.
FRUGAL = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"


class ServerMissing(Exception):
    """A server is not installed here."""


def free_ports(count: int, *, start: int = FIRST_PORT) -> list[int]:
    """Ports below those the system lends out: a server that is down for a while gets its own again."""
    found: list[int] = []
    for port in range(start, 32_000):
        with contextlib.suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            found.append(port)
        if len(found) == count:
            return found
    raise ServerMissing("No free ports.")


def program(*names: str) -> str:
    """The first of these that is there: names in PATH, or paths."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise ServerMissing(f"{names[0]} is not installed.")


def wait_for(is_up: Callable[[], bool], process: subprocess.Popen, what: str, log: Path) -> None:
    ends_at = time.monotonic() + PATIENCE
    while not is_up():
        if process.poll() is not None or time.monotonic() > ends_at:
            raise ServerMissing(f"{what} does not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)


def answers(port: int, ask: bytes = b"") -> bytes:
    """What a server says to the first bytes; empty when nobody is there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(ask)
            return connection.recv(100) if ask else b"yes"
    except OSError:
        return b""


class RabbitmqServer:
    """A node of its own: name, data, log, ports and name server. `start` and `stop` as often as wanted."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.folder = folder / "rabbitmq"
        self.port, self._distribution, self._names = ports
        self._program = program("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
        self._epmd = program("epmd")
        self._server: subprocess.Popen | None = None
        self.folder.mkdir()
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\ndisk_free_limit.absolute = 10MB\n"
        )
        line = [self._epmd, "-port", str(self._names), "-address", "127.0.0.1"]
        with (self.folder / "names").open("w") as output:
            name_server = subprocess.Popen(
                line, cwd=self.folder, env=os.environ | self._variables(), stdout=output, stderr=output
            )
        wait_for(lambda: bool(answers(self._names)), name_server, "epmd", self.folder / "names")

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def launch(self) -> None:
        """Does not wait."""
        with (self.folder / "output").open("a") as output:
            self._server = subprocess.Popen(
                [self._program],
                cwd=self.folder,  # a node that fails leaves its dump where it stands
                env=os.environ | self._variables(),
                stdout=output,
                stderr=output,
            )

    def is_up(self) -> bool:
        return bool(answers(self.port, b"AMQP\0\0\x09\x01"))

    def start(self) -> None:
        self.launch()
        wait_for(self.is_up, self._server, "RabbitMQ", self.folder / "output")

    def signal(self, number: int) -> None:
        """SIGTERM lets it write down what it holds, SIGKILL does not."""
        self._server.send_signal(number)

    def is_running(self) -> bool:
        return self._server.poll() is None

    def wipe(self) -> None:
        """All it knew, while it is stopped."""
        shutil.rmtree(self.folder / "mnesia", ignore_errors=True)

    def purge(self, queues: list[str]) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        with contextlib.closing(connection):
            for queue in queues:
                connection.channel().queue_purge(queue)

    def _variables(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),  # its cookie
            "RABBITMQ_NODENAME": f"chaos{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RUNNING_UNDER_SYSTEMD": "true",  # else a shell stands before the node, and takes the blows for it
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": FRUGAL,
        }


class RedisServer:
    """Keeps nothing on disk."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._line = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        self._line += ["--dir", str(folder), "--appendonly", "no"]
        self._log = folder / "redis.log"
        self._server: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        with self._log.open("a") as output:
            self._server = subprocess.Popen(self._line, stdout=output, stderr=output)
        wait_for(lambda: answers(self.port, b"PING\r\n") == b"+PONG\r\n", self._server, "Redis", self._log)

    def flush(self) -> None:
        answers(self.port, b"FLUSHALL\r\n")
