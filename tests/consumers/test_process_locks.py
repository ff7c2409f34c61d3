import os
import subprocess
import sys
import threading

import pytest

from consumers.process_locks import AlreadyRunning, Holder, engine_alone, engine_shared, only_platform

HOLD_AND_DIE = """
import os, pathlib, sys
from consumers.process_locks import only_platform
with only_platform(pathlib.Path(sys.argv[1]), address="http://127.0.0.1:4000"):
    os._exit(9)
"""


def test_the_second_platform_learns_of_the_first(tmp_path):
    with only_platform(tmp_path, address="http://127.0.0.1:3000"):
        with pytest.raises(AlreadyRunning) as caught, only_platform(tmp_path, address="http://127.0.0.1:4000"):
            pass

        assert caught.value.holder == Holder(os.getpid(), "http://127.0.0.1:3000")


def test_after_an_orderly_end_there_was_nobody_before(tmp_path):
    with only_platform(tmp_path, address="http://127.0.0.1:3000"):
        pass

    with only_platform(tmp_path, address="http://127.0.0.1:3000") as before:
        assert before is None


def test_a_platform_that_was_killed_leaves_its_name_and_no_lock(tmp_path):
    killed = subprocess.run([sys.executable, "-c", HOLD_AND_DIE, str(tmp_path)], check=False)
    assert killed.returncode == 9

    with only_platform(tmp_path, address="http://127.0.0.1:3000") as before:
        assert before is not None
        assert before.address == "http://127.0.0.1:4000"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x", "address": 1}'])
def test_a_lock_file_that_says_nothing_is_no_holder(tmp_path, content):
    (tmp_path / "platform.lock").write_text(content)

    with only_platform(tmp_path, address="http://127.0.0.1:3000") as before:
        assert before is None


def test_consumers_share_the_engine_and_nobody_is_alone_meanwhile(tmp_path):
    stopping = threading.Event()
    impatience = threading.Timer(10, stopping.set)
    impatience.start()
    with engine_shared(tmp_path, stopping=stopping):
        second = engine_shared(tmp_path, stopping=stopping)
        second.__enter__()
    with engine_alone(tmp_path) as is_alone:
        assert not is_alone  # the second still holds it

    second.__exit__(None, None, None)

    with engine_alone(tmp_path) as is_alone:
        assert is_alone
    impatience.cancel()


def test_a_consumer_waits_until_recovery_is_over(tmp_path):
    stopping, begun = threading.Event(), threading.Event()

    def consume():
        with engine_shared(tmp_path, stopping=stopping):
            begun.set()

    consumer = threading.Thread(target=consume)
    with engine_alone(tmp_path):
        consumer.start()
        assert not begun.wait(0.3)
    assert begun.wait(10)
    consumer.join()


def test_a_consumer_that_is_told_to_stop_waits_no_longer(tmp_path):
    stopping = threading.Event()
    stopping.set()

    with engine_alone(tmp_path), engine_shared(tmp_path, stopping=stopping):
        pass
