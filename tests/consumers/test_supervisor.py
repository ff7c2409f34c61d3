import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from consumers import supervisor
from consumers.supervisor import Child, Supervisor

#: Children write their pid into a file and then do as told.
LIVE = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); "
SLEEP = LIVE + "time.sleep(600)"
DIE = LIVE + "os._exit(3)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
WITH_A_CHILD = LIVE + (
    "import signal, subprocess; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "subprocess.run([sys.executable, '-c', 'import os, sys, time; "
    'open(sys.argv[1], "a").write(str(os.getpid()) + chr(10)); time.sleep(600)\', sys.argv[1]])'
)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", timedelta(milliseconds=10))
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", timedelta(milliseconds=40))
    monkeypatch.setattr(supervisor, "LOOK_EVERY", timedelta(milliseconds=10))


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "pids"


@pytest.fixture
def supervise():
    """Run a supervisor in a thread; it is stopped when the test is over."""
    running = []

    def start(*children, **options):
        made = Supervisor(children, **options)
        thread = threading.Thread(target=made.run)
        thread.start()
        running.append((made, thread))
        return made, thread

    yield start
    for made, thread in running:
        made.stop()
        made.stop()
        thread.join()


def child(script, notes, name="role"):
    return Child(name, [sys.executable, "-c", script, str(notes)])


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def pids_in(notes):
    return [int(line) for line in notes.read_text().split()] if notes.exists() else []


def is_alive(pid):
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(status) and not status.startswith("Z")


def test_every_child_is_started_once(supervise, tmp_path):
    files = [tmp_path / name for name in ("web", "sweeper")]

    supervise(*(child(SLEEP, file, file.name) for file in files))

    until(lambda: all(pids_in(file) for file in files))
    assert [len(pids_in(file)) for file in files] == [1, 1]


def test_a_child_that_dies_is_started_again(supervise, notes):
    supervise(child(SLEEP, notes))
    until(lambda: pids_in(notes))

    os.kill(pids_in(notes)[0], signal.SIGKILL)

    until(lambda: len(pids_in(notes)) == 2)
    assert not is_alive(pids_in(notes)[0])


def test_the_pauses_of_one_that_keeps_dying_grow_up_to_the_longest_and_are_said(supervise, notes):
    with capture_logs() as lines:
        supervise(child(DIE, notes))
        until(lambda: len([line for line in lines if line["action"] == "restart"]) >= 5)

    told = [line for line in lines if line["action"] == "restart"][:5]
    assert [line["after_seconds"] for line in told] == [0.01, 0.02, 0.04, 0.04, 0.04]
    assert {(line["process"], line["exit_code"]) for line in told} == {("role", 3)}


def test_one_that_lived_long_is_started_soon(supervise, notes, monkeypatch):
    monkeypatch.setattr(supervisor, "STEADY_AFTER", timedelta(0))
    with capture_logs() as lines:
        supervise(child(DIE, notes))
        until(lambda: len(lines) >= 3)

    assert {line["after_seconds"] for line in lines if line["action"] == "restart"} == {0.01}


def test_stop_ends_all_of_them(supervise, tmp_path):
    files = [tmp_path / name for name in ("web", "sweeper")]
    made, thread = supervise(*(child(SLEEP, file, file.name) for file in files))
    until(lambda: all(pids_in(file) for file in files))

    made.stop()
    thread.join(60)

    assert not thread.is_alive()
    assert not any(is_alive(pids_in(file)[0]) for file in files)


def test_what_does_not_stop_in_time_is_killed(supervise, notes, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_WITHIN", timedelta(milliseconds=200))
    made, thread = supervise(child(DEAF, notes, "deaf"))
    until(lambda: pids_in(notes))

    with capture_logs() as lines:
        made.stop()
        thread.join(60)

    assert not is_alive(pids_in(notes)[0])
    assert [line["processes"] for line in lines] == [["deaf"]]


def test_asking_twice_means_now(supervise, notes):
    made, thread = supervise(child(DEAF, notes))
    until(lambda: pids_in(notes))

    made.stop()
    made.stop()
    thread.join(60)

    assert not is_alive(pids_in(notes)[0])


def test_the_children_of_a_killed_child_are_killed_with_it(supervise, notes):
    made, thread = supervise(child(WITH_A_CHILD, notes))
    until(lambda: len(pids_in(notes)) == 2)

    made.stop()
    made.stop()
    thread.join(60)

    until(lambda: not any(is_alive(pid) for pid in pids_in(notes)))


def test_a_signal_for_the_terminal_does_not_reach_the_children(supervise, notes):
    supervise(child(SLEEP, notes))
    until(lambda: pids_in(notes))

    assert os.getpgid(pids_in(notes)[0]) != os.getpgrp()


def test_readiness_is_announced_once(supervise, notes):
    answers, announced = iter([False, False, True]), []

    supervise(
        child(SLEEP, notes),
        is_ready=lambda: next(answers, True),
        on_ready=lambda: announced.append(len(pids_in(notes))),
    )

    until(lambda: announced)
    time.sleep(0.05)
    assert len(announced) == 1


def test_children_do_not_survive_a_supervisor_with_a_fault(notes):
    def fail():
        raise RuntimeError("a fault of ours")

    def wait_and_fail():
        until(lambda: pids_in(notes))
        return True

    broken = Supervisor([child(SLEEP, notes)], is_ready=wait_and_fail, on_ready=fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        broken.run()

    assert not is_alive(pids_in(notes)[0])
