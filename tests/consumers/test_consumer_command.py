import os
import signal
import socket
import threading
import time
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from structlog.testing import capture_logs

from channels_email.models import CapturedEmail
from consumers import consumer_command, loop_command
from consumers.consumer_command import holder_name
from consumers.delivery import Delivery
from consumers.loop_command import database_address
from consumers.models import ServiceInstance
from consumers.process_locks import engine_alone
from gateway import tracking
from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.engine import PUSH_WORDS, a_template, now_as, several, statuses_of, submit
from tests.consumers.test_journal_replay import a_line, hand_over, leave_behind
from tests.factories import DeviceFactory, UserFactory
from tests.fakes import ACCEPTED
from users.channels import Channel

# Sender threads have connections of their own: they see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _var_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture(autouse=True)
def _signals_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(*arguments, channel="email"):
    call_command(f"run_{channel}_consumer", "--port", "0", *arguments)


def meanwhile(act):
    """Have `act` done as soon as a consumer is running, in a thread of its own."""

    def wait_and_act():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if ServiceInstance.objects.filter(state=ServiceInstance.State.RUNNING).exists():
                break
            time.sleep(0.02)
        act()
        connection.close()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def test_once_delivers_what_is_due_and_ends():
    notifications = several(3)

    run("--once")

    assert statuses_of(*notifications) == [Status.SENT] * 3
    assert CapturedEmail.objects.count() == 3


def test_a_consumer_leaves_the_other_channel_alone():
    (mail,) = several(1)
    person = DeviceFactory().user
    push = submit(person, a_template(Channel.PUSH, PUSH_WORDS), channel=Channel.PUSH)

    run("--once", channel="push")

    assert statuses_of(push, mail) == [Status.SENT, Status.ACCEPTED]


def test_several_sender_threads_send_each_notification_once():
    notifications = several(30)

    run("--once", "--concurrency", "3", "--batch", "4")

    assert statuses_of(*notifications) == [Status.SENT] * 30
    assert CapturedEmail.objects.values("notification").distinct().count() == CapturedEmail.objects.count() == 30


def test_it_ends_by_itself_after_so_many_messages():
    several(5)

    run("--max-messages", "2")

    assert Notification.objects.filter(status=Status.SENT).count() == 2


def test_it_ends_by_itself_after_so_many_seconds():
    run("--max-seconds", "1")

    assert ServiceInstance.objects.get().state == ServiceInstance.State.STOPPED


def test_the_first_line_names_queue_broker_concurrency_and_pid():
    with capture_logs() as lines:
        run("--once", "--concurrency", "2")

    first = lines[0]
    assert (first["event"], first["queue"], first["concurrency"]) == ("Started.", "email.queue", 2)
    assert (first["broker"], first["pid"]) == (database_address(), os.getpid())


def test_a_claim_says_who_holds_it():
    (notification,) = several(1)

    run("--once", "--name", "night-shift")

    assert now_as(notification).claimed_by == holder_name("night-shift")
    assert holder_name("night-shift").startswith(f"night-shift@{socket.gethostname()}:{os.getpid()}-")


def test_a_new_life_with_the_same_host_and_pid_is_somebody_else(monkeypatch):
    name = holder_name("night-shift")

    monkeypatch.setattr(consumer_command, "LIFE", "0000x")

    assert holder_name("night-shift") != name


def test_it_begins_with_what_a_dead_process_was_told(tmp_path):
    row, (attempt_id,) = hand_over(*several(1))
    path = leave_behind(tmp_path / "journals", a_line(row, attempt_id, ACCEPTED))

    run("--once")

    assert statuses_of(row) == [Status.SENT]
    assert not path.exists()


def test_journals_wait_while_the_database_is_away(tmp_path, monkeypatch):
    def fail(recorded):
        raise OperationalError("away")

    row, (attempt_id,) = hand_over(*several(1))
    path = leave_behind(tmp_path / "journals", a_line(row, attempt_id, ACCEPTED))
    monkeypatch.setattr(tracking, "record_outcomes", fail)

    run("--once")

    assert statuses_of(row) == [Status.SENDING]
    assert path.exists()


def test_a_very_long_name_still_fits_its_column(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 64)

    name = holder_name("n" * 60)

    assert len(name) <= Notification._meta.get_field("claimed_by").max_length
    assert f":{os.getpid()}-" in name


def test_it_registers_with_its_port_and_says_when_it_has_stopped():
    run("--once")

    row = ServiceInstance.objects.get()
    assert (row.role, row.state, row.pid) == ("email_consumer", ServiceInstance.State.STOPPED, os.getpid())
    assert row.port > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number):
    killer = meanwhile(lambda: os.kill(os.getpid(), number))

    run()

    killer.join()
    assert ServiceInstance.objects.get().state == ServiceInstance.State.STOPPED


def test_it_delivers_what_arrives_while_it_runs():
    person, template = UserFactory(), a_template()

    def submit_one():
        submit(person, template)

    client = meanwhile(submit_one)
    run("--max-messages", "1")

    client.join()
    assert Notification.objects.get().status == Status.SENT


def test_it_ends_when_its_supervisor_is_gone():
    impatient = []
    impatience = threading.Timer(20, lambda: (impatient.append(True), os.kill(os.getpid(), signal.SIGTERM)))
    impatience.start()

    run("--supervisor-pid", str(os.getpid()))  # our parent is somebody else

    impatience.cancel()
    assert not impatient
    assert ServiceInstance.objects.get().state == ServiceInstance.State.STOPPED


def test_it_goes_on_while_its_supervisor_lives():
    notifications = several(1)

    run("--supervisor-pid", str(os.getppid()), "--once")

    assert statuses_of(*notifications) == [Status.SENT]


def test_nobody_recovers_while_it_is_alive(tmp_path):
    found = []

    def look():
        with engine_alone(tmp_path) as is_alone:
            found.append(is_alone)
        os.kill(os.getpid(), signal.SIGTERM)

    looker = meanwhile(look)
    run()
    looker.join()
    with engine_alone(tmp_path) as is_alone:
        found.append(is_alone)

    assert found == [False, True]


def test_a_loop_that_fails_ends_the_process_with_an_error(monkeypatch):
    def fail(*args):
        raise RuntimeError("a fault of ours")

    several(1)
    monkeypatch.setattr(Delivery, "deliver", fail)

    with capture_logs() as lines, pytest.raises(CommandError, match="ended by an error"):
        run()

    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["A loop failed; the process ends."]
    assert ServiceInstance.objects.get().state == ServiceInstance.State.STOPPED


def test_a_database_without_migrations_is_said_with_the_remedy(monkeypatch):
    monkeypatch.setattr(loop_command, "missing_migrations", lambda: ["gateway.0002_more"])

    with pytest.raises(CommandError, match=r"lacks gateway\.0002_more; run `manage\.py migrate` first"):
        run("--once")

    assert not ServiceInstance.objects.exists()


def test_a_taken_port_is_said_with_the_remedy():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} is in use\. Choose another for /health: --port"):
            call_command("run_email_consumer", "--port", str(port))


@pytest.mark.parametrize("count", ["65536", "0", "many"])
def test_a_prefetch_that_no_broker_takes_is_a_usage_error(count):
    with pytest.raises(CommandError, match=r"at most 65535|whole number"):
        run("--once", "--prefetch", count)


def test_an_unknown_provider_stops_the_start(settings):
    settings.EMAIL_PROVIDERS = ["smpt"]

    with pytest.raises(CommandError, match="'smpt', which is no provider"):
        call_command("run_email_consumer", "--once", "--port", "0", skip_checks=False)


def test_the_sweeper_does_every_chore_once(capsys):
    call_command("run_sweeper", "--once")

    row = ServiceInstance.objects.get()
    assert (row.role, row.port, row.state) == ("sweeper", None, ServiceInstance.State.STOPPED)


def test_the_address_of_a_database_server_has_no_password(monkeypatch):
    server = {"NAME": "notify", "HOST": "db.internal", "PORT": 5433, "USER": "ann", "PASSWORD": "s3cret"}
    monkeypatch.setattr(loop_command, "connection", SimpleNamespace(vendor="postgresql", settings_dict=server))

    assert database_address() == "postgresql://db.internal:5433/notify"


def test_a_consumer_that_is_called_by_another_program_leaves_its_priority_alone(monkeypatch):
    monkeypatch.setattr(os, "setpriority", lambda kind, who, value: pytest.fail("it was changed"))
    call_command("run_email_consumer", once=True, port=0)
