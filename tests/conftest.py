"""What all tests share."""

import gc
import os
from datetime import timedelta

import hypothesis
import pytest
from django.conf import settings
from django.test import TransactionTestCase

from tests import migrated_database, quicker
from tests.postgresql_server import _own_postgresql_cluster, own_postgresql  # noqa: F401  fixtures
from tests.rabbitmq_server import (  # noqa: F401  fixtures and a hook
    on_postgresql,
    pytest_terminal_summary,
    rabbitmq_settings,
    rabbitmq_url,
    tap,
    topology,
    wire,
)
from tests.redis_server import own_redis, redis_of_module  # noqa: F401  fixtures


def pytest_configure():
    """A busy machine makes PostgreSQL slow; a 503 for that is none of these tests' business."""
    settings.DATABASE_PATIENCE_MS = 30_000
    quicker.find_static_files_once()
    quicker.hash_passwords_quickly()
    # The same examples in every run, however slow the machine is.
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("steady")
    # Instead of emptying every table after a test that commits.
    TransactionTestCase._fixture_teardown = lambda case: migrated_database.restore()


def pytest_collection(session):
    gc.disable()
    quicker.share_rewriting(session.config)


def pytest_collection_finish():
    quicker.keep_tests_out_of_garbage_collection()


def pytest_addoption(parser):
    parser.addoption(
        "--only-with-database",
        action="store_true",
        help="leave out what never asks a database: one run of that is enough (see every_database.py)",
    )


def pytest_ignore_collect(collection_path, config):
    """What is left out is not even read."""
    if config.getoption("--only-with-database") and is_same_everywhere(collection_path):
        return True
    return None  # others may have reasons


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    # Journeys mostly wait for processes. Begun first, they leave the processor to all others, and none is left over.
    items.sort(key=lambda item: "journeys" not in item.path.parts)
    if not config.getoption("--only-with-database"):
        return
    left_out = [item for item in items if not asks_a_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if asks_a_database(item)]


#: Pages, mails and the house itself: nothing in them depends on which database answers.
SAME_EVERYWHERE = {"house", "channels_email", "channels_push", "notifications_site"}


def is_same_everywhere(path):
    if path.is_dir():  # it may hold a folder about PostgreSQL
        return False
    return not SAME_EVERYWHERE.isdisjoint(path.parts) and "postgresql" not in path.parts


def asks_a_database(item):
    if "journeys" in item.path.parts or item.get_closest_marker("django_db"):
        return True
    return not DATABASE_FIXTURES.isdisjoint(item.fixturenames)


#: pytest-django's.
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "client", "admin_client", "live_server"}


@pytest.fixture(autouse=True)
def nothing_stored(request, monkeypatch):
    """What operators store is asked for in places that otherwise need no database: only tests about it look there."""
    from gateway import stored_settings

    if "stored_settings_followed" not in request.fixturenames:
        monkeypatch.setattr(stored_settings, "_here", stored_settings.StoredSettings(list))


@pytest.fixture
def stored_settings_followed(db, monkeypatch):
    """Every question looks into the table, as if much time had gone by."""
    from gateway import stored_settings

    monkeypatch.setattr(stored_settings, "FOLLOW_EVERY", timedelta(0))
    monkeypatch.setattr(stored_settings, "_here", stored_settings.StoredSettings())


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, tmp_path_factory):
    """Instead of pytest-django's: see migrated_database.py."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    own = tmp_path_factory.getbasetemp()
    database = migrated_database.CopyOfMigratedDatabase(own.parent if worker else own, worker or "alone")
    with django_db_blocker.unblock():
        database.make()
    yield database
    with django_db_blocker.unblock():
        database.remove()
