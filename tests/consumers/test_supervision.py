"""From the process that prepared everything to the small one that stays."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict

import pytest
from django.conf import settings

from consumers import supervision
from consumers.process_locks import AlreadyRunning, only_platform
from consumers.supervision import Plan, PlannedChild, become_supervisor, read_plan, write_plan
from tests.ports import own_port

PATIENCE = 60  # seconds
#: Becomes a supervisor as `run_platform` does, with one child that answers yes at the given port.
START = """
import json, pathlib, sys
from consumers.process_locks import only_platform
from consumers.supervision import Plan, PlannedChild, become_supervisor

words, manage = json.loads(sys.argv[1]), sys.argv[2]
plan = Plan(**words | {"children": [PlannedChild(**child) for child in words["children"]]})
with only_platform(pathlib.Path(plan.folder), address="http://127.0.0.1:3000"):
    become_supervisor(plan, command=[sys.executable, manage, "run_platform"])
"""
ANSWER = """
import http.server, sys, threading
class Yes(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Yes).serve_forever()
"""


def plan_of(folder, port):
    child = PlannedChild(name="web", command=[sys.executable, "-c", ANSWER, str(port)], environment={})
    return Plan(
        children=[child],
        ready_ports=[port],
        welcome="Sign in with hush.",
        folder=str(folder),
        log_level="INFO",
        log_format="text",
    )


def test_a_plan_is_read_as_it_was_written(tmp_path):
    plan = plan_of(tmp_path, 3000)

    with tempfile.TemporaryFile() as file:
        write_plan(plan, file)
        assert read_plan(os.dup(file.fileno())) == plan


def test_secrets_of_the_welcome_are_not_among_the_arguments(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(supervision.os, "execv", lambda program, arguments: started.extend(arguments))

    become_supervisor(plan_of(tmp_path, 3000), command=["python", "manage.py", "run_platform"])

    assert started[:4] == ["python", "manage.py", "run_platform", "--plan"]
    assert "hush" not in " ".join(started)


@pytest.fixture
def supervisor(tmp_path):
    plan = plan_of(tmp_path, own_port())
    process = subprocess.Popen(
        [sys.executable, "-c", START, json.dumps(asdict(plan)), str(settings.BASE_DIR / "manage.py")],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.terminate()


def test_it_keeps_number_and_lock_says_the_welcome_and_ends_in_order(supervisor, tmp_path):
    assert supervisor.stdout.readline() == "Sign in with hush.\n"
    with pytest.raises(AlreadyRunning) as caught, only_platform(tmp_path, address="elsewhere"):
        pass
    assert caught.value.holder.pid == supervisor.pid

    supervisor.terminate()

    assert supervisor.stdout.read() == "Stopped.\n"
    assert supervisor.wait(PATIENCE) == 0
    with only_platform(tmp_path, address="elsewhere") as before:
        assert before is None
