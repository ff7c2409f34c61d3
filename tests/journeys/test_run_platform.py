"""`manage.py run_platform` as a person meets it: real processes, real signals, real ports."""

import contextlib
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from email import message_from_bytes, policy

import pytest
from django.conf import settings
from django.test import override_settings

from gateway.demo_samples import FIRST, OTHER_LANGUAGE, PUSH
from tests.ports import own_port
from users.encryption import opened_bytes
from users.key_ring import read_keys

pytestmark = pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="it starts without a database server, in the SQLite half of the tests"
)
#: A busy machine may be slow; nothing here waits for a time, only for things to happen.
PATIENCE = 240  # seconds
OFFSETS = [0, 2, 3]


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)
    return found


class Platform:
    """One start of run_platform on a folder of its own."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.url = f"http://127.0.0.1:{port}"
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        self.process = None

    def command(self, *arguments, **variables):
        environment = dict(os.environ)
        # Bytecode is kept as on any other machine, or each of the processes would compile everything anew.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        # On a busy machine PostgreSQL may be slow, which is none of these tests' business.
        environment |= {"VAR_DIR": str(self.folder), "PORT": str(self.port), "DATABASE_PATIENCE_MS": "30000"}
        environment |= variables
        return [sys.executable, settings.BASE_DIR / "manage.py", *arguments], environment

    def start(self):
        command, environment = self.command("run_platform")
        with self.out.open("w") as out, self.err.open("a") as err:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
        until(lambda: "Ctrl-C stops everything" in self.out.read_text() or self.process.poll() is not None, "the start")
        assert self.process.poll() is None, self.err.read_text()

    def again(self, **variables):
        command, environment = self.command("run_platform", **variables)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)

    def ask(self, path, body=None):
        key = json.loads((self.folder / "demo.json").read_text())["api_key"]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)

    def rows(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.folder / "notifications.sqlite3", timeout=20)) as database:
            return database.execute(statement, values).fetchall()

    def opened(self, table, *columns):
        """What lies encrypted in these columns, as bytes; the key is the installation's own."""
        with override_settings(ENCRYPTION_KEYS=read_keys((self.folder / "encryption_key").read_text())):
            return [
                [opened_bytes(sealed, purpose=f"{table}.{column}") for column, sealed in zip(columns, row, strict=True)]
                for row in self.rows(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608  names of our own
            ]

    def status_of(self, notification_id):
        return self.ask(f"/api/v1/notifications/{notification_id}/status")[1]["status"]

    def send(self, body):
        status, answer = self.ask("/api/v1/notifications/", body)
        assert status == 202
        until(lambda: self.status_of(answer["id"]) in ("sent", "delivered"), "the sending")
        return answer["id"]

    def pids(self, role):
        """Living processes of a role, as they registered themselves: the newest last."""
        found = [
            pid for (pid,) in self.rows("SELECT pid FROM consumers_serviceinstance WHERE role = ? ORDER BY id", role)
        ]
        return [pid for pid in found if is_alive(pid)]

    def all_pids(self):
        """Everything this start has brought to life: each child leads a session of its own."""
        table = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,sid=,stat="], capture_output=True, text=True, check=True
        ).stdout
        rows = [line.split() for line in table.splitlines()]
        children = {pid for pid, parent, _, _ in rows if parent == str(self.process.pid)}
        return {int(pid) for pid, _, session, state in rows if session in children and not state.startswith("Z")}

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


def is_alive(pid):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state) and not state.startswith("Z")


@pytest.fixture
def platform(tmp_path):
    made = Platform(tmp_path, own_port(*OFFSETS))
    yield made
    if made.process is not None and made.process.poll() is None:
        left = made.all_pids()
        made.process.kill()
        made.process.wait()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_a_stranger_starts_it_sends_and_stops_it(platform):
    platform.start()
    the_request_of_the_welcome_works_when_pasted(platform)
    the_mail_shows_name_and_link(platform)
    other_languages_and_pushes_go_out_too(platform)
    every_part_answers(platform)
    a_second_start_is_refused(platform)
    a_killed_consumer_is_started_again(platform)
    callbacks_and_chores_share_a_process_that_is_started_again(platform)
    everything = platform.all_pids()
    assert len(everything) >= 5

    assert platform.stop() == 0

    assert not [pid for pid in everything if is_alive(pid)]
    assert platform.out.read_text().endswith("Stopped.\n")
    data_survives_a_restart(platform)
    nothing_outlives_a_killed_supervisor(platform)


def the_request_of_the_welcome_works_when_pasted(platform):
    told = platform.out.read_text()
    command = told[told.index("curl -X POST") : told.index("Ask where it is")].strip()
    words = shlex.split(command.replace("\\\n", " "))
    assert words[3] == f"{platform.url}/api/v1/notifications/"
    assert json.loads(words[-1]) == FIRST.body

    first = platform.send(json.loads(words[-1]))

    replayed, answer = platform.ask("/api/v1/notifications/", FIRST.body)
    assert (replayed, answer["id"]) == (200, first)


def the_mail_shows_name_and_link(platform):
    ((source,),) = platform.opened("channels_email_capturedemail", "source")
    mail = message_from_bytes(source, policy=policy.default)
    assert "ann@example.com" in mail["To"]
    for kind in ("plain", "html"):
        text = mail.get_body([kind]).get_content()
        assert "John Doe" in text
        assert FIRST.body["variables"]["verification_link"] in text


def other_languages_and_pushes_go_out_too(platform):
    platform.send(OTHER_LANGUAGE.body)
    platform.send(PUSH.body)

    assert [b"Willkommen bei Harbour, Jonas"] in platform.opened("channels_email_capturedemail", "subject")
    ((title, body),) = platform.opened("channels_push_capturedpush", "title", "body")
    assert title
    assert b"HB-20418" in body


def every_part_answers(platform):
    for offset, role in ((0, "all"), (2, "email_consumer"), (3, "push_consumer")):
        with urllib.request.urlopen(f"http://127.0.0.1:{platform.port + offset}/health", timeout=PATIENCE) as answer:
            shown = json.load(answer)
        assert (shown["status"], shown["role"]) == ("ok", role)
    with urllib.request.urlopen(platform.url + "/", timeout=PATIENCE) as answer:
        assert "Last messages" in answer.read().decode()


def a_second_start_is_refused(platform):
    refused = platform.again()
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"The platform is already running at {platform.url} (process {platform.process.pid})")

    elsewhere = platform.folder / "elsewhere"
    refused = platform.again(VAR_DIR=str(elsewhere))
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"Port {platform.port} is in use. Choose another: PORT=")
    assert not (elsewhere / "notifications.sqlite3").exists()


def a_killed_consumer_is_started_again(platform):
    (killed,) = platform.pids("email_consumer")
    os.kill(killed, signal.SIGKILL)

    until(lambda: [pid for pid in platform.pids("email_consumer") if pid != killed], "the restart")
    assert "process=email_consumer" in platform.err.read_text()
    platform.send(FIRST.body | {"request_id": "req-after-the-restart"})


def callbacks_and_chores_share_a_process_that_is_started_again(platform):
    (killed,) = platform.pids("sweeper")
    assert platform.pids("callback_sender") == [killed]
    os.kill(killed, signal.SIGKILL)

    for role in ("sweeper", "callback_sender"):
        until(lambda role=role: [pid for pid in platform.pids(role) if pid != killed], "the restart")
    assert "process=small_duties" in platform.err.read_text()


def data_survives_a_restart(platform):
    before = platform.rows("SELECT count(*) FROM gateway_notification")

    platform.start()

    assert platform.rows("SELECT count(*) FROM gateway_notification") == before
    assert platform.ask("/api/v1/notifications/", FIRST.body)[0] == 200
    assert "Loading the demo data" not in platform.out.read_text()


def nothing_outlives_a_killed_supervisor(platform):
    everything = platform.all_pids()
    assert len(everything) >= 5

    platform.process.kill()
    platform.process.wait()

    until(lambda: not [pid for pid in everything if is_alive(pid)], "the end of the orphans")
