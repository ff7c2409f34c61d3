import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import process_tree

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells it so")
#: Says when it has begun, and waits until its standard input is closed.
PARENT = "import subprocess, sys; print(flush=True); sys.stdin.read()"


def test_a_process_and_what_it_has_started_are_found_with_their_memory():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        started.stdout.readline()
        assert started.pid in process_tree.tree(os.getpid())

        (part,) = process_tree.measure(started.pid, seconds=0)

        assert 1 < part.memory_mb < 1000
        started.stdin.close()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["python", "/srv/manage.py", "run_platform", "--plan", "5"], "supervisor"),
        (["python", "/srv/manage.py", "run_small_duties", "--skip-checks"], "small_duties"),
        (["python", "-c", "from multiprocessing.resource_tracker import main"], "web: resource tracker"),
        (["python", "-c", "from multiprocessing.spawn import spawn_main"], "web: worker"),
    ],
)
def test_a_part_is_called_by_its_command(words, name):
    assert process_tree.name_of("\0".join(words)) == name
