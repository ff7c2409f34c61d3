import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumers import niceness
from consumers.niceness import AUTOGROUP, give_way

SAY = "; print(open('/proc/self/autogroup').read().split()[-1])"


@pytest.fixture
def session_of_somebody_else(monkeypatch):
    monkeypatch.setattr(os, "getsid", lambda pid: 1)


@pytest.mark.usefixtures("session_of_somebody_else")
@pytest.mark.parametrize(("wanted", "before", "after"), [(10, 0, 10), (0, 0, 0), (5, 7, 7)])
def test_a_consumer_gives_way_as_far_as_it_is_told_and_never_takes_back(monkeypatch, wanted, before, after):
    given = []
    monkeypatch.setattr(os, "getpriority", lambda kind, who: before)
    monkeypatch.setattr(os, "setpriority", lambda kind, who, value: given.append(value))
    give_way(wanted)
    assert given == [after]


@pytest.mark.usefixtures("session_of_somebody_else")
def test_at_most_it_takes_only_what_nobody_else_wants(monkeypatch):
    given = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda pid, policy, param: given.append((pid, policy)))
    monkeypatch.setattr(os, "setpriority", lambda kind, who, value: pytest.fail("it was changed"))
    give_way(20)
    assert given == [(0, os.SCHED_IDLE)]


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel shares the processors among processes alone")
@pytest.mark.parametrize(("wanted", "told"), [(10, "10"), (20, "19")])
def test_in_a_session_of_its_own_the_whole_session_gives_way(wanted, told):
    said = subprocess.run(
        [sys.executable, "-c", f"from consumers.niceness import give_way; give_way({wanted})" + SAY],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == told


@pytest.mark.usefixtures("session_of_somebody_else")
def test_the_session_of_somebody_else_keeps_its_share(monkeypatch, tmp_path):
    monkeypatch.setattr(niceness, "AUTOGROUP", tmp_path / "autogroup")
    monkeypatch.setattr(os, "setpriority", lambda kind, who, value: None)
    give_way(10)
    assert not (tmp_path / "autogroup").exists()


def test_a_kernel_that_is_asked_too_often_is_asked_again(monkeypatch, own_session):
    answers = [OSError(errno.EAGAIN, "again"), OSError(errno.EAGAIN, "again"), None]
    written = own_session(answers)
    give_way(10)
    assert written == ["10"] * 3


def test_a_kernel_that_refuses_is_left_alone(monkeypatch, own_session):
    written = own_session([OSError(errno.EPERM, "no")])
    give_way(10)
    assert written == ["10"]


@pytest.fixture
def own_session(monkeypatch):
    monkeypatch.setattr(os, "getsid", lambda pid: os.getpid())
    monkeypatch.setattr(os, "setpriority", lambda kind, who, value: None)
    monkeypatch.setattr(os, "getpriority", lambda kind, who: 0)
    monkeypatch.setattr(niceness, "PAUSE", 0)

    def answering(answers):
        written = []

        def write(path, text, encoding):
            written.append(text)
            if (error := answers.pop(0)) is not None:
                raise error

        monkeypatch.setattr(Path, "write_text", write)
        return written

    return answering
