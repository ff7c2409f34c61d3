"""A moment from SQLite's clock and the same moment from us are the same, whatever its decimals."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.backends.sqlite3._functions import _sqlite_format_dtdelta
from django.db.models import DateTimeField, Value
from django.db.models.functions import Now

from notifications_site.sqlite.base import moved
from tests.factories import UserFactory
from users.models import User

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
MOMENTS = [NOON, NOON.replace(microsecond=123_000), NOON.replace(microsecond=120_000)]


@pytest.fixture
def stored_by_the_clock(db):
    """Writes a moment as `Now()` would have written it just then."""
    if connection.vendor != "sqlite":
        pytest.skip("needs SQLite")
    UserFactory()

    def store(moment):
        written = moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03}"
        with connection.cursor() as cursor:
            cursor.execute("UPDATE users_user SET updated_at = %s", [written])
        return User.objects.all()

    return store


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_the_clock_wrote_equals_the_moment_read_from_it(stored_by_the_clock, moment):
    rows = stored_by_the_clock(moment)
    assert rows.get().updated_at == moment
    assert rows.filter(updated_at=moment).exists()
    assert rows.filter(updated_at__lte=moment, updated_at__gte=moment).exists()
    assert not rows.filter(updated_at__lt=moment).exists()
    assert not rows.filter(updated_at__gt=moment).exists()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_microsecond_is_later_than_the_millisecond_it_is_in(stored_by_the_clock, moment):
    rows = stored_by_the_clock(moment)
    assert rows.filter(updated_at__lt=moment.replace(microsecond=moment.microsecond + 1)).exists()


def test_the_clock_writes_three_decimals(stored_by_the_clock):
    """If SQLite or Django ever write more, the two forms part again."""
    rows = stored_by_the_clock(NOON)
    rows.update(updated_at=Now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT length(updated_at) FROM users_user")
        assert cursor.fetchone()[0] == len("2026-05-04 12:00:00.123")


@pytest.mark.parametrize("moment", [*MOMENTS, NOON.replace(microsecond=123_456)])
def test_a_moment_moved_by_a_duration_equals_the_moment_given(stored_by_the_clock, moment):
    rows = stored_by_the_clock(NOON)
    rows.update(updated_at=Value(moment + timedelta(hours=1), DateTimeField()) - timedelta(hours=1))
    assert rows.get().updated_at == moment
    assert rows.filter(updated_at=moment).exists()
    rows.update(updated_at=moment)
    computed = Value(moment - timedelta(days=400), DateTimeField()) + timedelta(days=400)
    assert rows.filter(updated_at=computed).exists()


def test_other_sums_are_those_of_django():
    for sum_ in (("+", 1_000, 2_000), ("-", "2026-05-04", 0), ("*", 3, 2.5), ("-", None, 1)):
        assert moved(*sum_) == _sqlite_format_dtdelta(*sum_)


def test_a_moment_in_another_zone_is_stored_in_utc():
    assert connection.ops.adapt_datetimefield_value(None) is None
    if connection.vendor == "sqlite":
        assert connection.ops.adapt_datetimefield_value(NOON) == "2026-05-04 12:00:00.000"
