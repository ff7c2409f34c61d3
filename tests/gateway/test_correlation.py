"""Every answer and every log line can be found again."""

import uuid

import pytest
import structlog
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from structlog.testing import capture_logs

from gateway.correlation import kept

log = structlog.stdlib.get_logger(__name__)


def show(request):
    structlog.contextvars.bind_contextvars(notification_id="left behind")
    return HttpResponse(f"{request.request_id} {request.correlation_id}")


def refuse(request):
    raise PermissionDenied


def fail(request):
    raise RuntimeError("broken")


def ids_in_context(request):
    return JsonResponse(structlog.contextvars.get_contextvars())


urlpatterns = [
    path("show/", show),
    path("refuse/", refuse),
    path("fail/", fail),
    path("context/", ids_in_context),
    path("health", show),
    path("unsubscribe/<str:token>/", show),
]
handler400 = "gateway.problems.handler400"
handler403 = "gateway.problems.handler403"
handler404 = "gateway.problems.handler404"
handler500 = "gateway.problems.handler500"

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def request_line(client, path, **extra):
    with capture_logs() as lines:
        client.get(path, **extra)
    (line,) = [line for line in lines if line.get("action") == "request"]
    return line


def test_a_request_without_ids_gets_one_that_serves_as_both(client):
    response = client.get("/show/")

    request_id = response["X-Request-ID"]
    assert str(uuid.UUID(request_id)) == request_id
    assert response["X-Correlation-ID"] == request_id
    assert response.content.decode() == f"{request_id} {request_id}"


def test_good_ids_are_kept(client):
    response = client.get("/show/", headers={"X-Request-ID": "req-1.a_B", "X-Correlation-ID": "story-7"})

    assert (response["X-Request-ID"], response["X-Correlation-ID"]) == ("req-1.a_B", "story-7")


@pytest.mark.parametrize("bad", ["", " ", "a b", "ä", "x" * 129, 'a"b', "a\tb", "ann@example.com"])
def test_bad_ids_are_replaced(client, bad):
    response = client.get("/show/", headers={"X-Request-ID": bad, "X-Correlation-ID": bad})

    assert uuid.UUID(response["X-Request-ID"])
    assert response["X-Correlation-ID"] == response["X-Request-ID"]


def test_an_id_may_have_128_characters_and_no_line_feed():
    assert kept("x" * 128)
    assert not kept("x\n")


@pytest.mark.parametrize(("path", "status"), [("/nowhere/", 404), ("/refuse/", 403), ("/fail/", 500)])
def test_errors_carry_the_ids_too(client, path, status):
    response = client.get(path, headers={"X-Request-ID": "req-1"})

    assert response.status_code == status
    assert response["X-Request-ID"] == response["X-Correlation-ID"] == "req-1"
    assert response.json()["request_id"] == "req-1"


def test_even_a_wrong_host_name_is_answered_with_ids(client):
    response = client.get("/show/", headers={"Host": "elsewhere.example", "X-Request-ID": "req-1"})

    assert response.status_code == 400
    assert response["X-Request-ID"] == "req-1"


def test_the_log_context_holds_the_ids_and_the_trace(client):
    response = client.get(
        "/context/",
        headers={
            "X-Request-ID": "req-1",
            "X-Correlation-ID": "story-7",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
    )

    assert response.json() == {
        "request_id": "req-1",
        "correlation_id": "story-7",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }


@pytest.mark.parametrize(
    "traceparent",
    [
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "nonsense",
    ],
)
def test_an_invalid_trace_is_ignored(client, traceparent):
    assert "trace_id" not in client.get("/context/", headers={"traceparent": traceparent}).json()


def test_nothing_is_left_in_the_context_for_the_next_request(client):
    client.get("/show/")
    assert structlog.contextvars.get_contextvars() == {}

    structlog.contextvars.bind_contextvars(notification_id="left behind")
    assert "notification_id" not in client.get("/context/").json()


def test_each_request_is_noted_once_without_its_query(client):
    line = request_line(client, "/show/?email=ann@example.com")

    assert line["duration_ms"] >= 0
    assert {name: line[name] for name in ("log_level", "method", "path", "status")} == {
        "log_level": "info",
        "method": "GET",
        "path": "/show/",
        "status": 200,
    }
    assert "ann" not in repr(line)


@pytest.mark.parametrize(
    ("path", "level"),
    [("/health", "debug"), ("/static/nothing.css", "debug"), ("/nowhere/", "info"), ("/fail/", "warning")],
)
def test_probes_are_noted_quietly_and_failures_loudly(client, path, level):
    assert request_line(client, path)["log_level"] == level


def test_an_unsubscribe_link_is_not_noted(client):
    assert request_line(client, "/unsubscribe/c2VjcmV0/")["path"] == "/unsubscribe/••••/"
