"""When a campaign is over, however it ended, none of its processes and no folder of it is left."""

import os
import signal
import subprocess
import sys

import pytest

from tests.chaos.guardian import MARK, PATIENCE, Guarded

WAIT = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def begin():
    """Starts a process that would stay; whatever is left in the end, is no longer."""
    begun = []

    def begin(**how):
        process = subprocess.Popen(WAIT, **how)
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.wait()


def test_who_carries_the_mark_or_stands_in_the_folder_goes_and_others_stay(begin):
    stranger = begin()
    with Guarded() as campaign:
        marked = begin()
        # As redis-server, which writes its title over its environment.
        unmarked = begin(env={name: value for name, value in os.environ.items() if name != MARK}, cwd=campaign.folder)

    assert marked.wait(PATIENCE) == unmarked.wait(PATIENCE) == -signal.SIGKILL
    assert stranger.poll() is None
    assert not campaign.folder.exists()
