"""What all tests share."""

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.plugin import blocking_manager_key

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
from tests.status_guard import install_status_guard


def pytest_configure():
    """A busy machine makes PostgreSQL slow; a 503 for that is none of these tests' business."""
    settings.DATABASE_PATIENCE_MS = 30_000


def pytest_addoption(parser):
    parser.addoption(
        "--only-with-database",
        action="store_true",
        help="leave out what never asks a database: one run of that is enough (see every_database.py)",
    )


def pytest_collection_modifyitems(config, items):
    for item in items:
        if is_transactional(item):
            # Said as a marker, not as a fixture: by it pytest-django knows in time what to keep of the migrated rows.
            item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True), append=False)
    if not config.getoption("--only-with-database"):
        return
    left_out = [item for item in items if not asks_a_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if asks_a_database(item)]


def is_transactional(item):
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction")) or "transactional_db" in item.fixturenames


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """A test without a transaction around it ends with empty tables. What the migrations put there comes back at once:
    tests run in any order, side by side."""
    result = yield
    # After the last one the test database is gone, and the connection is that of the installation: hands off.
    if nextitem is not None and is_transactional(item):
        with item.config.stash[blocking_manager_key].unblock():
            connection.creation.deserialize_db_from_string(connection._test_serialized_contents)
    return result


#: Pages, mails and the house itself: nothing in them depends on which database answers.
SAME_EVERYWHERE = {"house", "channels_email", "channels_push", "notifications_site"}


def asks_a_database(item):
    if not SAME_EVERYWHERE.isdisjoint(item.path.parts) and "postgresql" not in item.path.parts:
        return False
    if "journeys" in item.path.parts or item.get_closest_marker("django_db"):
        return True
    return not DATABASE_FIXTURES.isdisjoint(item.fixturenames)


#: pytest-django's.
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "client", "admin_client", "live_server"}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory):
    """SQLite in a file of this run, as in earnest: in memory, threads would get errors where they should wait."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """PostgreSQL refuses changes of status that are not in the table, whoever makes them."""
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            install_status_guard()
