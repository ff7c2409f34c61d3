"""Several processes under one: started, started again, ended together."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from consumers import supervisor as supervisor_module
from consumers.process_group import own_command, run_group

#: Of a member: notes its life and then does as told.
LIFE = """
import os, signal, sys, time
def note(word):
    with open(sys.argv[1], "a") as notes:
        notes.write(f"{word}\\n")
def stop(number, frame):
    note("told to stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("born")
"""
LIVES_ON = "time.sleep(60)"
ENDS = ""
FAILS_ONCE = "sys.exit(open(sys.argv[1]).read().count('born') == 1)"


@pytest.fixture(autouse=True)
def _signals_as_before():
    before = {number: signal.getsignal(number) for number in supervisor_module.STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def member(tmp_path):
    """A command, and what its processes have noted so far."""
    made = []

    def make(life):
        made.append(tmp_path / f"notes-{len(made)}")
        return [sys.executable, "-c", LIFE + life, str(made[-1])]

    make.notes = lambda: [path.read_text().splitlines() if path.exists() else [] for path in made]
    return make


def when(condition, act):
    """Have `act` done as soon as `condition` holds."""

    def wait_and_act():
        ends_at = time.monotonic() + 60
        while not condition() and time.monotonic() < ends_at:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait_and_act, daemon=True)
    thread.start()
    return thread


def stop_us():
    os.kill(os.getpid(), signal.SIGTERM)


def run(*commands, may_end=False, supervisor_pid=None):
    run_group("member", commands, may_end=may_end, supervisor_pid=supervisor_pid)


def test_a_signal_is_passed_on_and_all_end(member):
    commands = [member(LIVES_ON), member(LIVES_ON)]
    when(lambda: member.notes() == [["born"], ["born"]], stop_us)
    run(*commands)
    assert member.notes() == [["born", "told to stop"]] * 2


def test_it_ends_when_every_member_has_ended_by_itself(member):
    run(member(ENDS), member(ENDS), may_end=True)
    assert member.notes() == [["born"], ["born"]]


def test_a_member_that_failed_is_started_again(member):
    run(member(FAILS_ONCE), member(ENDS), may_end=True)
    assert member.notes() == [["born", "born"], ["born"]]


def test_a_member_that_has_no_reason_to_end_is_started_again(member):
    command = member(ENDS)
    when(lambda: len(member.notes()[0]) >= 2, stop_us)
    run(command)
    assert member.notes()[0][:2] == ["born", "born"]


def test_it_ends_with_its_supervisor(member):
    command = member(LIVES_ON)
    run(command, supervisor_pid=os.getpid())  # our parent is somebody else
    assert member.notes() in ([["born", "told to stop"]], [["born"]], [[]])


def test_a_command_line_names_what_was_asked_for():
    line = own_command("run_email_consumer", once=True, max_messages=None, batch=7, name="night", quiet=False)
    assert line[2:] == ["run_email_consumer", "--once", "--batch", "7", "--name", "night"]
    assert subprocess.run([*line[:2], "help"], capture_output=True, check=False).returncode == 0
