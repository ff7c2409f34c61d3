"""run_relay, declare_queues, show_queues and the rest of what RabbitMQ adds to the command line."""

import json
import signal
import uuid

import pytest
from django.core.management import CommandError, call_command
from structlog.testing import capture_logs

from consumers.brokers.rabbitmq import declaration
from consumers.brokers.rabbitmq.hint_format import hint_body
from consumers.management.commands import run_email_consumer
from consumers.models import ServiceInstance
from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.engine import several, statuses_of
from tests.factories import ago
from tests.rabbitmq_server import until

# Loops run in threads with connections of their own: they see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _var_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture(autouse=True)
def _signals_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


# --- without RabbitMQ -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run_relay", "declare_queues"])
def test_without_an_address_there_is_nothing_to_do(command):
    with pytest.raises(CommandError, match="RABBITMQ_URL") as caught:
        call_command(command)
    assert caught.value.returncode == 2


def test_the_queues_are_shown_without_a_broker_too(capsys):
    several(2)
    call_command("show_queues")
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[:4] == ["queue", "due", "waiting", "queued"]
    assert out[1].split()[:3] == ["email.queue", "2", "0"]


# --- declare_queues ---------------------------------------------------------------------------------------------------


def test_queues_are_declared_and_the_check_agrees(rabbitmq_settings, rabbitmq_url, topology, capsys):
    with pytest.raises(SystemExit) as caught:
        call_command("declare_queues", check=True)
    assert caught.value.code == 1
    assert f"queue {topology.queue('email')} is missing" in capsys.readouterr().err
    call_command("declare_queues")
    call_command("declare_queues", check=True)
    out = capsys.readouterr().out
    assert out.count("holds everything that is needed.") == 2
    assert "guest" not in out
    assert declaration.differences(rabbitmq_url, topology) == []


def test_a_drift_ends_with_1_and_says_what_to_do(rabbitmq_settings, topology, tap, capsys):
    queue = topology.queue("email")
    tap.ask("queue_delete", queue=queue)
    tap.ask("queue_declare", queue=queue, durable=True)
    for arguments in ({"check": True}, {}):
        with pytest.raises(SystemExit) as caught:
            call_command("declare_queues", **arguments)
        assert caught.value.code == 1
        told = capsys.readouterr().err
        assert f"queue {queue}" in told
        assert "delete what differs" in told


def test_a_broker_that_is_away_is_said_without_its_password(rabbitmq_settings, wire, monkeypatch):
    monkeypatch.setattr(declaration, "WITHIN", declaration.WITHIN / 20)
    wire.cut()
    rabbitmq_settings.RABBITMQ_URL = wire.url
    with pytest.raises(CommandError, match=rf"amqp://127\.0\.0\.1:{wire.port}/ does not answer") as caught:
        call_command("declare_queues", check=True)
    assert "guest" not in str(caught.value)


# --- show_queues ------------------------------------------------------------------------------------------------------


def test_table_and_broker_are_shown_side_by_side(rabbitmq_settings, tap, topology, capsys):
    several(1)
    tap.put(hint_body(uuid.uuid4()), queue=topology.queue("email"))
    tap.put(b"rubbish", queue=topology.failed)
    until(lambda: tap.depth(topology.failed) + tap.depth(topology.queue("email")) == 2, "the messages' arrival")
    call_command("show_queues", json=True)
    shown = json.loads(capsys.readouterr().out)
    email, push = shown["queues"]
    assert (email["queue"], email["due"], email["broker"]) == ("email.queue", 1, {"ready": 1, "consumers": 0})
    assert email["oldest_seconds"] > 0
    assert (push["due"], push["oldest_seconds"], push["broker"]["ready"]) == (0, None, 0)
    assert (shown["failed.queue"], "guest" in shown["broker"]) == (1, False)
    call_command("show_queues")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[-2:] == ["1", "0"]
    assert lines[3] == "failed.queue: 1 messages"


def test_the_table_is_shown_while_the_broker_is_away(rabbitmq_settings, wire, monkeypatch, capsys):
    from consumers.management.commands import show_queues

    monkeypatch.setattr(show_queues, "WITHIN", show_queues.WITHIN / 50)
    wire.cut()
    rabbitmq_settings.RABBITMQ_URL = wire.url
    several(1)
    call_command("show_queues", json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["queues"][0]["due"], shown["queues"][0]["broker"], shown["failed.queue"]) == (1, None, None)


# --- relay, consumers and sweeper -------------------------------------------------------------------------------------


def test_relay_and_consumer_carry_a_notification_through_rabbitmq(on_postgresql, rabbitmq_settings, tap, topology):
    notifications = several(5)
    with capture_logs() as lines:
        call_command("run_relay", once=True)
    assert statuses_of(*notifications) == [Status.QUEUED] * 5
    assert tap.depth(topology.queue("email")) == 5
    started = next(line for line in lines if line["event"] == "Started.")
    assert "guest" not in started["broker"]
    assert ServiceInstance.objects.get(role="relay").state == ServiceInstance.State.STOPPED

    call_command("run_email_consumer", once=True, port=0, concurrency=2)
    assert statuses_of(*notifications) == [Status.SENT] * 5
    assert tap.depth(topology.queue("email")) == 0


def test_a_hint_is_acknowledged_after_the_record_never_before(
    on_postgresql, rabbitmq_settings, tap, topology, monkeypatch
):
    """A consumer that ends in the middle leaves the hint in the queue."""
    from consumers.delivery import Delivery

    (notification,) = several(1)
    call_command("run_relay", once=True)

    def fail(*args):
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(Delivery, "deliver", fail)
        with pytest.raises(CommandError):
            call_command("run_email_consumer", port=0)
    until(lambda: tap.depth(topology.queue("email")) == 1, "the way back")
    call_command("run_email_consumer", once=True, port=0)
    assert statuses_of(notification) == [Status.SENT]


def test_rubbish_strangers_and_second_hints_do_not_stop_a_consumer(on_postgresql, rabbitmq_settings, tap, topology):
    notifications = several(3)
    queue = topology.queue("email")
    call_command("run_relay", once=True)
    for body in (b"\xff", hint_body(uuid.uuid4()), hint_body(notifications[0].pk)):
        tap.put(body, queue=queue)
    with capture_logs() as lines:
        call_command("run_email_consumer", once=True, port=0)
    assert statuses_of(*notifications) == [Status.SENT] * 3
    assert (tap.depth(queue), tap.take_all(topology.failed)) == (0, [b"\xff"])
    dropped = [line for line in lines if line.get("action") == "drop_hint"]
    assert [(line["event"], line["count"]) for line in dropped] == [
        ("Dropped hints of notifications that do not exist.", 1)
    ]


def test_the_push_consumer_drops_hints_of_mails(on_postgresql, rabbitmq_settings, tap, topology):
    (mail,) = several(1)
    tap.put(hint_body(mail.pk), queue=topology.queue("push"))
    with capture_logs() as lines:
        call_command("run_push_consumer", once=True, port=0)
    assert statuses_of(mail) == [Status.ACCEPTED]
    assert "Dropped hints that belong to another channel." in [line["event"] for line in lines]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [({}, 200), ({"batch": 10, "concurrency": 3}, 60), ({"prefetch": 7}, 7), ({"batch": 100_000}, 65_535)],
)
def test_prefetch_is_twice_what_the_threads_take_unless_told(rabbitmq_settings, monkeypatch, arguments, expected):
    asked = []

    def brokers_for(channel, *, threads, prefetch, wake):
        asked.append(prefetch)
        return []

    monkeypatch.setattr("consumers.brokers.choice.brokers_for", brokers_for)
    call_command("run_email_consumer", once=True, port=0, **arguments)
    assert asked == [expected]


def test_the_sweeper_looks_for_lost_hints_only_with_rabbitmq(on_postgresql, rabbitmq_settings):
    (forgotten,) = several(1)
    Notification.objects.update(status=Status.QUEUED, publish_count=1, published_at=ago(hours=1))
    rabbitmq_settings.RABBITMQ_URL, url = "", rabbitmq_settings.RABBITMQ_URL
    call_command("run_sweeper", once=True)
    assert statuses_of(forgotten) == [Status.QUEUED]
    rabbitmq_settings.RABBITMQ_URL = url
    call_command("run_sweeper", once=True)
    assert statuses_of(forgotten) == [Status.ACCEPTED]


def test_several_processes_are_as_many_commands_like_this_one(monkeypatch):
    groups = []
    monkeypatch.setattr(
        "consumers.consumer_command.run_group", lambda name, commands, **how: groups.append((name, commands, how))
    )
    monkeypatch.setattr("consumers.consumer_command.connections.close_all", lambda: None)
    call_command("run_email_consumer", processes=2, concurrency=3, prefetch=9, max_seconds=60, port=7000, name="night")
    ((name, commands, how),) = groups
    assert (name, how) == ("night", {"may_end": True, "supervisor_pid": None})
    parser = run_email_consumer.Command().create_parser("manage.py", "run_email_consumer")
    found = [vars(parser.parse_args(command[3:])) for command in commands]
    assert [each["name"] for each in found] == ["night-1", "night-2"]
    assert [each["port"] for each in found] == [7000, 0]
    assert {(each["concurrency"], each["prefetch"], each["max_seconds"], each["processes"]) for each in found} == {
        (3, 9, 60, 1)
    }
