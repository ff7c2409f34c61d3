"""Moments, read and in words."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from users.moments import age, clock, parse_moment
from users.templatetags.staff_pages import milliseconds, moment

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=3, seconds=59), "3 min ago"),
        (timedelta(minutes=60), "1 h ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=2), "2 d ago"),
        (timedelta(seconds=-1), "in a moment"),
        (timedelta(hours=-2), "in 2 h"),
        (timedelta(days=-400), "in 400 d"),
    ],
)
def test_ages_read_as_people_say_them(before, words):
    assert age(NOW - before, now=NOW) == words


def test_the_clock_is_the_readers():
    with timezone.override("Asia/Kathmandu"):
        assert clock(NOW, now=NOW) == "15:45"


def test_utc_is_named_so_that_nobody_takes_it_for_their_own_time():
    with timezone.override(UTC):
        assert clock(NOW, now=NOW) == "10:00 UTC"


def test_the_day_is_told_unless_it_is_today():
    with timezone.override("Europe/Vienna"):
        assert clock(NOW - timedelta(days=1), now=NOW) == "21 Nov, 11:00"
        assert clock(NOW - timedelta(days=365), now=NOW) == "22 Nov 2025, 11:00"


def test_midnight_of_the_reader_decides_what_is_today():
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    with timezone.override("Europe/Vienna"):
        assert clock(late - timedelta(hours=1), now=late) == "22 Nov, 23:30"


def test_a_moment_on_a_page_has_the_whole_truth_as_its_tooltip():
    with timezone.override("Europe/Vienna"):
        assert 'title="2026-11-22 10:00:00 UTC"' in moment(NOW)


def test_no_moment_is_a_dash():
    assert moment(None) == "–"


@pytest.mark.parametrize(
    ("value", "words"), [(None, ""), (0, "<1 ms"), (12, "12 ms"), (999, "999 ms"), (1820, "1.8 s")]
)
def test_durations_read_as_people_say_them(value, words):
    assert milliseconds(value) == words


def test_a_text_that_is_no_moment_is_none():
    assert parse_moment("soon") is None
