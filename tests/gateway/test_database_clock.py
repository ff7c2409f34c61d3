"""The one clock all processes agree on."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from gateway import database_clock
from gateway.database_clock import about_now, database_now, in_zone, now_sql
from tests.factories import UserFactory
from users.models import User


@pytest.mark.django_db
def test_it_is_aware_and_in_utc():
    assert database_now().tzinfo is UTC


@pytest.mark.django_db
def test_it_is_about_now():
    assert abs(database_now() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.django_db
def test_it_knows_parts_of_a_second():
    assert any(database_now().microsecond for _ in range(50))


@pytest.mark.django_db
def test_it_goes_on_within_a_transaction():
    """A transaction's own time stands still; a lease must not."""
    with transaction.atomic():
        first = database_now()
        assert any(database_now() > first for _ in range(10_000))


@pytest.mark.django_db
def test_it_is_the_clock_that_columns_are_written_by():
    before = database_now()
    person = UserFactory()
    User.objects.filter(pk=person.pk).update(last_login=Now())
    person.refresh_from_db()

    assert before <= person.created_at <= person.last_login <= database_now()


@pytest.mark.django_db
def test_its_sql_can_stand_in_a_statement_of_ours():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {now_sql()}, %s", ["a value"])
        assert cursor.fetchone()[1] == "a value"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "2026-11-23 06:00 (UTC)"),
        ("Europe/Vienna", "2026-11-23 07:00 (Europe/Vienna)"),
        ("Asia/Kathmandu", "2026-11-23 11:45 (Asia/Kathmandu)"),
        ("Pacific/Niue", "2026-11-22 19:00 (Pacific/Niue)"),
    ],
)
def test_a_moment_as_a_wall_clock_shows_it(zone, shown):
    assert in_zone(datetime(2026, 11, 23, 6, 0, 59, tzinfo=UTC), zone) == shown


def test_the_carried_clock_is_never_ahead_and_hardly_behind(db):
    for _ in range(50):
        carried, exact = about_now(), database_now()
        assert timedelta(0) < exact - carried < timedelta(seconds=1)


def test_the_carried_clock_asks_once_for_many_readings(db, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr(database_clock, "_carried", database_clock._Carried())
    with django_assert_max_num_queries(1):
        readings = [about_now() for _ in range(100)]
    assert readings == sorted(readings)


def test_the_carried_clock_asks_again_after_a_while(db, django_assert_num_queries, monkeypatch):
    carried = database_clock._Carried()
    monkeypatch.setattr(database_clock, "_carried", carried)
    about_now()
    carried.reading = (carried.reading[0], carried.reading[1] - 2 * database_clock.CARRIED_FOR.total_seconds())
    with django_assert_num_queries(1):
        about_now()
