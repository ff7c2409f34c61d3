import pytest
from django.urls import resolve

from tests.metrics_scene import growth
from users.api_keys import create_api_key

pytestmark = pytest.mark.django_db

REQUESTS = "notify_api_requests_total"


@pytest.fixture
def key():
    return create_api_key(name="watcher", client="watcher", scopes=["notifications:read"])[1]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
def test_it_is_text_that_prometheus_reads(client, path):
    response = client.get(path)

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert response["Cache-Control"] == "no-store"
    assert "# HELP notify_api_requests_total " in response.content.decode()


def test_elsewhere_it_asks_who_you_are(client, settings):
    settings.IS_LOCAL, settings.METRICS_TOKEN = False, "token"

    refused = client.get("/metrics")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    assert refused.json()["code"] == "not_authenticated"
    assert client.get("/metrics", headers={"Authorization": "Bearer token"}).status_code == 200


def test_it_can_only_be_read(client):
    response = client.post("/metrics")

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_a_request_counts_under_its_route_never_under_its_path(client, key):
    path = "/api/v1/notifications/0192f3a0-0000-7000-8000-000000000000/status/"
    route = f"/{resolve(path).route}"
    assert "0192f3a0" not in route
    asked = growth(REQUESTS, route=route, method="GET", status="404", key_type="live")
    took = growth("notify_api_request_duration_seconds_count", route=route)

    client.get(path.removesuffix("/"), headers={"Authorization": f"Bearer {key}"})

    assert (asked(), took()) == (1, 1)


def test_what_there_is_not_counts_under_one_name_however_it_is_called(client):
    asked = growth(REQUESTS, route="none", method="other", status="404", key_type="none")

    client.generic("BREW", "/coffee/for/ann")

    assert asked() == 1


def test_the_database_is_timed(client):
    statements = growth("notify_database_query_duration_seconds_count")

    client.get("/health")

    assert statements() > 0
