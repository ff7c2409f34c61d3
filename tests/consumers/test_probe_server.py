import http.client
import json
import socket
from datetime import timedelta

import pytest

from consumers import health_checks
from consumers.probe_server import ProbeServer, answers_of

# The server's threads have connections of their own: they see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


class Consumer:
    """What a probe server asks its consumer."""

    still_for = timedelta(0)
    is_draining = False


@pytest.fixture
def consumer():
    return Consumer()


@pytest.fixture
def server(consumer):
    answers = answers_of(
        "email_consumer", still_for=lambda: consumer.still_for, is_draining=lambda: consumer.is_draining
    )
    server = ProbeServer(answers, port=0)
    yield server
    server.close()


def ask(server, path, method="GET", headers=None):
    asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        asking.request(method, path, headers=headers or {})
        answer = asking.getresponse()
        return answer, answer.read()
    finally:
        asking.close()


@pytest.mark.parametrize("path", ["/health", "/health/", "/health?verbose=1"])
def test_health_shows_every_check(server, path):
    answer, body = ask(server, path)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    shown = json.loads(body)
    assert shown["role"] == "email_consumer"
    assert set(shown["checks"]) == {"database", "cache", "broker", "consumers", "providers"}


@pytest.mark.parametrize("path", ["/health/live", "/livez"])
def test_life_is_progress_of_the_loop(server, consumer, path):
    assert ask(server, path)[0].status == 200

    consumer.still_for = health_checks.STUCK_AFTER + timedelta(seconds=1)

    assert ask(server, path)[0].status == 503


@pytest.mark.parametrize("path", ["/health/ready", "/readyz"])
def test_readiness_goes_red_as_soon_as_it_drains(server, consumer, path):
    assert ask(server, path)[0].status == 200

    consumer.is_draining = True

    answer, body = ask(server, path)
    assert answer.status == 503
    assert json.loads(body)["detail"] == "This process is stopping."


def test_head_answers_without_a_body(server):
    answer, body = ask(server, "/health/live", method="HEAD")

    assert (answer.status, body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_metrics_are_told(server):
    answer, body = ask(server, "/metrics")

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"# TYPE notify_delivery_attempts_total counter" in body


def test_metrics_are_not_for_everybody_elsewhere(server, settings):
    settings.IS_LOCAL, settings.METRICS_TOKEN = False, "token"

    answer, body = ask(server, "/metrics")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (answer.headers["Content-Type"], json.loads(body)["code"]) == (
        "application/problem+json",
        "not_authenticated",
    )
    assert ask(server, "/metrics", headers={"Authorization": "Bearer token"})[0].status == 200


def test_an_unknown_path_names_the_known_ones(server):
    answer, body = ask(server, "/metrics2")

    assert answer.status == 404
    assert "/health/ready" in json.loads(body)["paths"]


def test_the_request_id_is_kept_or_made(server):
    assert ask(server, "/livez", headers={"X-Request-ID": "abc-1"})[0].headers["X-Request-ID"] == "abc-1"
    assert len(ask(server, "/livez", headers={"X-Request-ID": "a b"})[0].headers["X-Request-ID"]) == 36


def test_only_this_machine_is_answered_unless_asked_otherwise(server):
    assert server._server.server_address[0] == "127.0.0.1"


def test_nothing_is_logged_and_nothing_stays_open(server, capfd):
    ask(server, "/health")
    server.close()

    assert capfd.readouterr() == ("", "")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0
