import os
import signal
import subprocess
import sys
import threading

import pytest
from django.db import OperationalError
from structlog.testing import capture_logs

from consumers import service_registry
from consumers.models import ServiceInstance
from consumers.process_life import Registration, State

HEARS_SIGNALS = """
import sys, time
import django
django.setup()
from consumers.process_life import on_stop_signals
asked = []
on_stop_signals(lambda: asked.append(1))
print("ready", flush=True)
while len(sys.argv) > 1 or not asked:
    time.sleep(0.01)
print("stopped in order", flush=True)
"""


def started(*arguments):
    process = subprocess.Popen([sys.executable, "-c", HEARS_SIGNALS, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks(number):
    process = started()
    process.send_signal(number)

    assert process.communicate(timeout=20)[0] == "stopped in order\n"
    assert process.returncode == 0


def test_the_second_signal_ends_it_now():
    process = started("never stops by itself")
    process.send_signal(signal.SIGTERM)
    impatience = threading.Timer(20, process.kill)
    impatience.start()
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
    impatience.cancel()

    assert process.communicate()[0] == ""
    assert process.returncode in (128 + signal.SIGTERM, 128 + signal.SIGINT)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
class TestRegistration:
    def test_it_says_what_becomes_of_the_process(self):
        registration = Registration(role="sweeper", port=None)
        assert ServiceInstance.objects.get().state == State.STARTING

        registration.become(State.RUNNING)
        registration.leave()

        row = ServiceInstance.objects.get()
        assert (row.role, row.pid, row.state) == ("sweeper", os.getpid(), State.STOPPED)

    def test_a_database_that_is_away_stops_nothing(self, monkeypatch):
        registration = Registration(role="sweeper", port=None)

        def refuse(*args):
            raise OperationalError("connection refused")

        monkeypatch.setattr(service_registry, "heartbeat", refuse)
        with capture_logs() as lines:
            registration.leave()

        assert [line["event"] for line in lines] == ["A heartbeat was not written."]

    def test_whoever_begins_while_the_database_is_away_is_listed_later(self, monkeypatch):
        def refuse(**fields):
            raise OperationalError("connection refused")

        with monkeypatch.context() as away, capture_logs() as lines:
            away.setattr(service_registry, "register", refuse)
            registration = Registration(role="web", port=3000)
        assert [line["event"] for line in lines] == ["A heartbeat was not written."]
        assert not ServiceInstance.objects.exists()

        registration.become(State.RUNNING)
        registration.leave()

        row = ServiceInstance.objects.get()
        assert (row.role, row.port, row.state) == ("web", 3000, State.STOPPED)
