"""Patience with the real server; how a whole web process fares is in tests/journeys/test_database_away.py."""

import threading
from concurrent.futures import Future
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import OperationalError, close_old_connections, connection
from django.db.transaction import atomic

from gateway.database_patience import at_most
from gateway.models import Notification
from notifications_site.postgresql import base
from notifications_site.postgresql.silence import Silence, Silent

LONG = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def own_silence(monkeypatch):
    monkeypatch.setattr(base, "SILENCE", Silence())


@pytest.fixture
def on_postgresql(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; runs in that half of the tests")


def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_a_statement_takes_no_longer_than_the_patience(on_postgresql):
    with at_most(timedelta(milliseconds=50)), pytest.raises(OperationalError, match="did not answer within"):
        ask("SELECT pg_sleep(30)")

    # That connection is gone: its statement may still be under way.
    assert connection.connection.closed
    connection.close()
    assert ask("SELECT 1") == 1


def test_without_hurry_nothing_changes(on_postgresql):
    assert ask("SELECT 1 FROM pg_sleep(0.01)") == 1


def test_a_kept_connection_that_is_gone_is_replaced_within_the_patience(on_postgresql):
    pid = ask("SELECT pg_backend_pid()")
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    other.close()

    connection.health_check_enabled, connection.health_check_done = True, False
    with at_most(LONG):
        assert ask("SELECT pg_backend_pid()") != pid


def test_a_connection_that_answered_a_moment_ago_is_not_asked_whether_it_works(on_postgresql, monkeypatch):
    ask("SELECT 1")
    monkeypatch.setattr(connection, "is_usable", lambda: pytest.fail("It was asked."))

    connection.health_check_enabled, connection.health_check_done = True, False
    assert ask("SELECT 1") == 1


def test_one_whose_server_ended_it_a_moment_ago_is_replaced(on_postgresql):
    pid = ask("SELECT pg_backend_pid()")
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    other.close()

    connection.health_check_enabled, connection.health_check_done = True, False
    assert ask("SELECT pg_backend_pid()") != pid


def test_one_that_is_closed_is_not_trusted_however_lately_it_answered(on_postgresql):
    ask("SELECT 1")
    connection.connection.close()

    connection.health_check_enabled, connection.health_check_done = True, False
    assert ask("SELECT 1") == 1


@pytest.mark.parametrize("is_in_transaction", [False, True])
def test_a_server_that_may_only_be_read_counts_as_away_and_is_left(on_postgresql, is_in_transaction):
    pid = ask("SELECT pg_backend_pid()")
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")

    with pytest.raises(OperationalError, match="read-only"), atomic() if is_in_transaction else nullcontext():
        Notification.objects.update(reason="x")

    close_old_connections()
    assert ask("SELECT pg_backend_pid()") != pid
    assert Notification.objects.update(reason="x") == 0


def test_whoever_waits_for_a_connection_waits_no_longer_than_he_may():
    may_connect, made = threading.Event(), Future()

    class Connection:
        def close(self):
            made.set_result("closed")

    def connect():
        may_connect.wait()
        return Connection()

    with pytest.raises(Silent):
        base.connected_within(0.01, connect)
    may_connect.set()

    # Nobody waits for it any more.
    assert made.result(timeout=30) == "closed"


def test_why_there_is_no_connection_reaches_the_one_who_waits():
    def connect():
        raise OperationalError("too many connections")

    with pytest.raises(OperationalError, match="too many connections"):
        base.connected_within(30, connect)
