"""What all tests share."""

import pytest
from django.db import connection

from tests.status_guard import install_status_guard


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
