import multiprocessing
import os
import signal
import subprocess
import sys
import time

from consumers.parent_watch import end_with_master, is_orphan

MASTER = """
import multiprocessing, time
from consumers.parent_watch import end_with_master

def work(told):
    end_with_master()
    told.send_bytes(b"here")
    time.sleep(60)

if __name__ == "__main__":
    here, there = multiprocessing.get_context("spawn").Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(there,))
    worker.start()
    here.recv_bytes()
    print(worker.pid, flush=True)
    time.sleep(60)
"""


def test_who_still_has_the_parent_it_had_is_no_orphan():
    assert not is_orphan(os.getppid())


def test_who_has_another_parent_is_one():
    assert is_orphan(os.getpid())


def test_nobody_is_an_orphan_without_a_supervisor():
    assert not is_orphan(None)


def test_outside_of_a_web_server_there_is_no_master_to_watch():
    assert multiprocessing.parent_process() is None
    end_with_master()


def test_a_worker_ends_when_its_master_is_killed(tmp_path):
    script = tmp_path / "master.py"
    script.write_text(MASTER)
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    master = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment)
    worker = int(master.stdout.readline())

    master.send_signal(signal.SIGKILL)
    master.communicate()

    deadline = time.monotonic() + 60
    while is_alive(worker):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid):
    """Not dead, and not dead but for a parent who has not noticed."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return not status.stdout.startswith("Z") and bool(status.stdout)
