"""Whether anybody has written, by SQLite's own counter."""

import threading

import pytest
from django.db import connection, connections

from gateway.database_changes import ChangeWatch
from tests.factories import UserFactory


def in_another_thread(act):
    """By a connection of its own, as another process."""

    def run():
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_what_others_have_written_is_seen_once_and_nothing_is_seen_where_nothing_was():
    watch = ChangeWatch()
    assert watch.may_have_changed()
    if connection.vendor != "sqlite":
        assert watch.may_have_changed()
        return
    assert not watch.may_have_changed()

    in_another_thread(UserFactory)

    assert watch.may_have_changed()
    assert not watch.may_have_changed()


@pytest.mark.django_db
def test_what_this_connection_has_written_counts_too():
    watch = ChangeWatch()
    watch.may_have_changed()
    UserFactory()
    assert watch.may_have_changed()


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_may_have_missed_something():
    watch = ChangeWatch()
    watch.may_have_changed()
    connection.close()
    assert watch.may_have_changed()
