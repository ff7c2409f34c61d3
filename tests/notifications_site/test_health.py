import pytest
from django.db import OperationalError, connection

from consumers import service_registry

READINESS = ["/health/ready", "/readyz"]
LIFE = ["/health/live", "/livez"]


@pytest.fixture
def no_database(db, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health", "/health/"])
def test_health_tells_the_role_and_every_check(client, path):
    for role in ("email_consumer", "push_consumer"):
        service_registry.register(role=role, port=None)

    response = client.get(path)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert (body["status"], body["role"]) == ("ok", "all")
    assert body["checks"]["consumers"] == {"status": "ok", "email": 1, "push": 1}


def test_without_a_database_health_is_503_and_life_goes_on(client, no_database):
    assert client.get("/health").status_code == 503
    assert client.get("/health").json()["status"] == "down"
    assert [client.get(path).status_code for path in READINESS] == [503, 503]
    assert [client.get(path).status_code for path in LIFE] == [200, 200]


@pytest.mark.django_db
@pytest.mark.parametrize("path", READINESS)
def test_it_is_ready_with_database_and_migrations(client, path):
    response = client.get(path)

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", LIFE)
def test_life_asks_no_database(client, path):
    # Without the mark for the database, pytest-django lets nobody near it.
    assert client.get(path).json() == {"status": "ok"}


@pytest.mark.parametrize("path", LIFE)
def test_the_answer_carries_the_request_id(client, path):
    assert client.get(path, headers={"X-Request-ID": "probe-1"})["X-Request-ID"] == "probe-1"


@pytest.mark.parametrize("path", ["/health", *READINESS, *LIFE])
@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_health_can_only_be_read(path, method):
    from django.test import Client

    response = getattr(Client(enforce_csrf_checks=True), method)(path)

    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", LIFE)
def test_head_works(client, path):
    response = client.head(path)

    assert (response.status_code, response.content) == (200, b"")
