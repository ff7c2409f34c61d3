"""News through the database: heard when committed, missed at no cost."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from gateway import due_signal
from gateway.due_signal import announce_due, wait_for_due
from tests.consumers.engine import a_template, submit
from tests.factories import UserFactory

# News comes between connections, and only of what is committed.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LONG, SHORT, NOTHING = timedelta(seconds=30), timedelta(milliseconds=100), timedelta(0)


@pytest.fixture
def listening(on_postgresql):
    """This connection listens already: the first wait begins it."""
    wait_for_due(NOTHING)


def elsewhere(act):
    """In another thread, so with another connection."""

    def run():
        act()
        connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()


def test_an_announcement_ends_the_wait(listening):
    elsewhere(announce_due)
    assert wait_for_due(LONG)


def test_many_announcements_end_one_wait(listening):
    elsewhere(lambda: [announce_due() for _ in range(20)])
    assert wait_for_due(LONG)
    assert not wait_for_due(SHORT)


def test_without_news_the_wait_ends_by_itself(on_postgresql):
    assert not wait_for_due(SHORT)


def test_news_waits_for_the_commit_and_dies_with_a_rollback(listening):
    def change_our_mind():
        with transaction.atomic():
            announce_due()
            transaction.set_rollback(True)

    elsewhere(change_our_mind)
    assert not wait_for_due(SHORT)


def test_a_submitted_notification_is_news(listening):
    person, template = UserFactory(), a_template()
    elsewhere(lambda: submit(person, template))
    assert wait_for_due(LONG)


def test_a_scheduled_notification_is_no_news(listening):
    from gateway.database_clock import database_now

    person, template = UserFactory(), a_template()
    elsewhere(lambda: submit(person, template, send_at=database_now() + timedelta(hours=1)))
    assert not wait_for_due(SHORT)


def test_a_lost_connection_is_told_as_trouble_of_the_database(listening):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]

    def end():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    elsewhere(end)
    with pytest.raises(OperationalError):
        wait_for_due(LONG)
    connection.close()


def test_trouble_with_the_announcement_concerns_nobody(on_postgresql, monkeypatch):
    monkeypatch.setattr(due_signal, "SIGNAL", "no such name")
    announce_due()


def test_without_postgresql_one_just_waits(monkeypatch):
    slept = []
    monkeypatch.setattr(due_signal.time, "sleep", slept.append)
    monkeypatch.setattr(due_signal, "connection", type("Other", (), {"vendor": "sqlite"}))
    announce_due()
    assert not wait_for_due(timedelta(seconds=7))
    assert slept == [7]
