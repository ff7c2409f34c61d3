import os
import subprocess
import sys

import pytest
from django.conf import settings

from gateway import failpoints
from gateway.failpoints import FailpointHit, WrongFailpoints, arm, failpoint

PLACE = "delivery.answered"


@pytest.fixture(autouse=True)
def _disarmed(tmp_path):
    yield
    arm("", folder=tmp_path)


def in_a_process(words, folder, passings=3):
    """How a process ends that passes the place again and again: its exit code, negative for a signal."""
    code = (
        "from pathlib import Path; from gateway.failpoints import arm, failpoint; import sys;"
        "arm(sys.argv[1], folder=Path(sys.argv[2]));"
        f"[failpoint({PLACE!r}) for _ in range({passings})]"
    )
    return subprocess.run(
        [sys.executable, "-c", code, words, str(folder)], cwd=settings.BASE_DIR, check=False
    ).returncode


def test_nothing_is_armed_and_nothing_happens():
    assert failpoints._traps is None
    failpoint(PLACE)


def test_it_raises_at_the_passing_that_was_named_and_only_then(tmp_path):
    arm(f"{PLACE}=raise@2", folder=tmp_path)
    failpoint(PLACE)
    failpoint("delivery.marked")
    with pytest.raises(FailpointHit):
        failpoint(PLACE)
    failpoint(PLACE)


def test_several_places_are_armed_at_once(tmp_path):
    arm(f"{PLACE}=raise, delivery.marked=raise", folder=tmp_path)
    for place in (PLACE, "delivery.marked"):
        with pytest.raises(FailpointHit):
            failpoint(place)


def test_it_sleeps(tmp_path, monkeypatch):
    slept = []
    monkeypatch.setitem(failpoints._ACTIONS, "sleep", slept.append)
    arm(f"{PLACE}=sleep:0.25", folder=tmp_path)
    failpoint(PLACE)
    assert slept == [0.25]


@pytest.mark.parametrize(("action", "code"), [("kill", -9), ("exit", 1)])
def test_the_process_ends(action, code, tmp_path):
    assert in_a_process(f"{PLACE}={action}@3", tmp_path) == code
    assert in_a_process(f"{PLACE}={action}@4", tmp_path) == 0


def test_only_the_first_of_all_processes_is_hit(tmp_path):
    assert in_a_process(f"{PLACE}=kill!", tmp_path) == -9
    assert in_a_process(f"{PLACE}=kill!", tmp_path) == 0


def test_the_process_is_stopped_until_somebody_wakes_it(tmp_path):
    pid = os.fork()
    if not pid:
        arm(f"{PLACE}=stop", folder=tmp_path)
        failpoint(PLACE)
        os._exit(7)
    assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
    os.kill(pid, 18)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ("delivery.answred=kill", "there are submission.judged, "),
        (f"{PLACE}=explode", "the actions are kill"),
        (f"{PLACE}=sleep", "sleep:SECONDS"),
        (f"{PLACE}=kill:3", "sleep:SECONDS"),
        (PLACE, "PLACE=ACTION"),
        (f"{PLACE}=kill@", "PLACE=ACTION"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(words, trouble, tmp_path):
    with pytest.raises(WrongFailpoints, match=trouble.replace("[", r"\[")) as refusal:
        arm(words, folder=tmp_path)
    assert "FAILPOINTS" in str(refusal.value)


@pytest.mark.parametrize("variable", [{"FAILPOINTS": f"{PLACE}=kill"}, {"DELIVERY_TIME_SCALE": "10"}])
def test_settings_refuse_them_where_it_is_not_local(variable):
    away = os.environ | {"ENVIRONMENT": "production", "SECRET_KEY": "x" * 50} | variable
    ended = subprocess.run(
        [sys.executable, "-c", "import notifications_site.settings"],
        cwd=settings.BASE_DIR,
        env=away,
        capture_output=True,
        text=True,
        check=False,
    )
    (name,) = variable
    assert f"{name} is set; with ENVIRONMENT=production that is refused" in ended.stderr
