from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from consumers import health_checks, service_registry
from consumers.health_checks import health, live, ready
from gateway import provider_states

pytestmark = pytest.mark.django_db


@pytest.fixture
def consumers():
    for role in ("email_consumer", "push_consumer"):
        service_registry.register(role=role, port=None)


@pytest.fixture
def no_database(monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)


def test_all_is_well_when_database_and_consumers_are_there(consumers, settings):
    found = health("all")

    assert found.status_code == 200
    assert found.body["status"] == "ok"
    assert (found.body["role"], found.body["version"]) == ("all", settings.VERSION)
    assert found.body["time"].endswith("Z")
    checks = found.body["checks"]
    assert checks["database"]["status"] == "ok"
    assert isinstance(checks["database"]["latency_ms"], int)
    assert checks["cache"] == checks["broker"] == {"status": "embedded"}
    assert checks["consumers"] == {"status": "ok", "email": 1, "push": 1}


def test_a_missing_consumer_only_degrades():
    service_registry.register(role="email_consumer", port=None)

    found = health("all")

    assert (found.status_code, found.body["status"]) == (200, "degraded")
    assert found.body["checks"]["consumers"] == {"status": "down", "email": 1, "push": 0}


def test_a_broker_that_listens_is_well(consumers, rabbitmq_settings):
    found = health("all")

    assert (found.status_code, found.body["status"]) == (200, "ok")
    assert found.body["checks"]["broker"]["status"] == "ok"
    assert isinstance(found.body["checks"]["broker"]["latency_ms"], int)


def test_a_broker_that_is_away_only_degrades(consumers, settings, wire):
    wire.cut()
    settings.RABBITMQ_URL = wire.url

    found = health("all")

    assert (found.status_code, found.body["status"]) == (200, "degraded")
    assert found.body["checks"]["broker"] == {"status": "degraded"}
    assert ready() == health_checks.OK


def test_without_a_database_it_is_down(no_database):
    found = health("all")

    assert (found.status_code, found.body["status"]) == (503, "down")
    assert found.body["checks"]["database"] == {"status": "down"}
    assert found.body["checks"]["consumers"] == {"status": "unknown"}


def test_life_needs_no_database(no_database):
    assert live().status_code == 200


@pytest.mark.parametrize(("seconds", "code"), [(0, 200), (60, 200), (61, 503)])
def test_a_loop_that_does_not_turn_is_no_life(seconds, code):
    assert live(timedelta(seconds=seconds)).status_code == code


def test_ready_with_every_migration():
    assert ready() == health_checks.OK


def test_not_ready_without_a_database(no_database):
    found = ready()

    assert (found.status_code, found.body["detail"]) == (503, "The database does not answer.")


def test_not_ready_while_it_stops():
    assert ready(is_draining=True).status_code == 503


def test_not_ready_while_a_migration_is_missing():
    app, name = next(each for each in health_checks.newest_migrations() if each[0] == "gateway")
    MigrationRecorder(connection).record_unapplied(app, name)

    found = ready()

    assert found.status_code == 503
    assert f"{app}.{name}" in found.body["detail"]


def test_a_newer_schema_is_fine():
    MigrationRecorder(connection).record_applied("gateway", "9999_of_the_next_release")

    assert ready().status_code == 200


def test_a_paused_provider_is_a_notice_and_no_failure(consumers, settings):
    settings.EMAIL_PROVIDERS = ["smtp", "sendgrid"]
    assert health("web").body["checks"]["providers"] == {"status": "ok"}
    provider_states.introduce("email", ["smtp", "sendgrid"])
    provider_states.force("smtp", "open", who="Olga", why="maintenance")
    found = health("web")
    assert (found.status_code, found.body["status"]) == (200, "ok")
    assert found.body["checks"]["providers"] == {"status": "notice", "email.smtp": "open"}


def test_redis_away_is_degraded_and_no_more(db, own_redis):
    assert health_checks.check_cache()["status"] == "ok"
    own_redis.kill()

    assert health_checks.check_cache() == {"status": "degraded"}
    assert health_checks.health("web").is_good
