"""A PostgreSQL server of the tests' own: it may be stopped, restarted, frozen and filled; nobody else uses it.

The binaries are looked for in PG_BIN, PATH and Debian's folders. root starts it as the user postgres, as it must.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.ports import own_port

#: Little memory and no waiting for the disk: what is committed survives a killed server, not a power cut.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "fsync": "off",
    "log_min_messages": "warning",
    "max_wal_size": "256MB",
}
#: Seconds for initdb, a start or a stop on a busy machine.
PATIENCE = 60


def folder_of_binaries():
    """Where initdb and pg_ctl are, the newest version first; None when PostgreSQL is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    in_path = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    named = [Path(os.environ["PG_BIN"])] if "PG_BIN" in os.environ else []
    return next((each for each in [*named, *in_path, *debian] if (each / "initdb").exists()), None)


class PostgresqlServer:
    """`make`, then `start` and `stop` as often as wanted, at last `remove`. The port stays the same."""

    def __init__(self, port=None, **settings):
        self.port = port or own_port()
        self._settings = SETTINGS | settings
        self._binaries = folder_of_binaries()
        self.folder = None

    def make(self):
        """An empty cluster; the superuser postgres needs no password."""
        self.folder = Path(tempfile.mkdtemp(prefix="notifications-postgresql-"))
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        lines = [f"{name} = '{value}'" for name, value in self._settings.items()]
        lines += [f"port = {self.port}", f"unix_socket_directories = '{self.folder}'"]
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\n" + "\n".join(lines) + "\n")

    @property
    def _data(self):
        return self.folder / "data"

    def url(self, name="postgres"):
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    @property
    def pid(self):
        """Of the postmaster; None when it does not run."""
        try:
            return int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError):
            return None

    @property
    def is_running(self):
        return subprocess.run(self._line("pg_ctl", "-D", self._data, "status"), capture_output=True).returncode == 0

    def start(self):
        """Returns when it answers. One that was killed recovers first."""
        self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-w", "-t", PATIENCE, "start")

    def stop(self, mode="fast"):
        """`immediate` is a crash: no checkpoint, sessions cut; `fast` tells sessions to end."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "-t", PATIENCE, "stop")

    def restart(self, mode="immediate"):
        self.stop(mode)
        self.start()

    def freeze(self):
        """It still takes connections and bytes, but says nothing: every process of it is stopped."""
        for pid in self._all_pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self._all_pids():
            os.kill(pid, signal.SIGCONT)

    def execute(self, statement, *values, name="postgres"):
        """A statement past all our code; its rows, if it has any."""
        with psycopg.connect(self.url(name), autocommit=True) as server:
            cursor = server.execute(statement, values)
            return cursor.fetchall() if cursor.description else None

    def create_database(self, name):
        with psycopg.connect(self.url(), autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def remove(self):
        """Stopped, and its folder gone."""
        if self.folder is None:
            return
        if self.pid is not None:
            self.thaw()
            subprocess.run(self._line("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop"), capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = None

    def _all_pids(self):
        leader = self.pid
        if leader is None:
            return []
        table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in table.splitlines()]
        return [leader, *(pid for pid, parent in pairs if parent == leader)]

    def _line(self, program, *arguments):
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        return [*as_postgres, str(self._binaries / program), *map(str, arguments)]

    def _run(self, program, *arguments):
        # Into a file: a server that lives on would keep a pipe open, and us waiting for its end.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                self._line(program, *arguments),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                timeout=2 * PATIENCE,
                check=False,
            )
            if done.returncode:
                said.seek(0)
                raise AssertionError(f"{program} failed:\n{said.read()}\n{self.log() if 'pg_ctl' in program else ''}")


@pytest.fixture(scope="session")
def _own_postgresql_cluster():
    """Made once a run. What is missing is said loudly; with CI=true it is a failure."""
    if folder_of_binaries() is None:
        words = "*** PostgreSQL's initdb is not installed, this test DID NOT RUN"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    server = PostgresqlServer()
    try:
        server.make()
        yield server
    finally:
        server.remove()


@pytest.fixture
def own_postgresql(_own_postgresql_cluster):
    """A server that runs when the test begins, whatever the test before did to it. `url()` is its address."""
    server = _own_postgresql_cluster
    server.thaw()
    if not server.is_running:
        server.start()
    return server
