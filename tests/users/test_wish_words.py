"""Wishes in words: what silence means at a moment, and where it lies on the bar of a day."""

from datetime import UTC, datetime, time

import pytest

from users.models import ConsentEvent, QuietHours
from users.wish_words import by_in_words, change_in_words, place_on_bar, silence_in_words, stretches

NIGHT = datetime(2026, 1, 15, 22, 10, tzinfo=UTC)  # 23:10 in Vienna
NOON = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)


def told(now=NIGHT, **fields):
    hours = QuietHours(start=time(22), end=time(7), **fields)
    return silence_in_words(hours, name="Ann", zone="Europe/Vienna", now=now)


def test_silence_names_channel_and_end_by_the_persons_clock():
    assert told(channels=["push"]) == "It is 23:10 for Ann; push waits until 07:00."
    assert told() == "It is 23:10 for Ann; e-mail and push wait until 07:00."


def test_quiet_hours_with_a_zone_of_their_own_are_told_in_it():
    assert told(timezone="Asia/Tokyo") == "It is 07:10 for Ann; nothing waits now."


def test_without_silence_nothing_waits():
    assert told(now=NOON) == "It is 12:00 for Ann; nothing waits now."
    assert "switched off" in told(is_enabled=False)
    assert "nothing ever waits" in silence_in_words(None, name="Ann", zone="UTC", now=NOON)


@pytest.mark.parametrize(
    ("start", "end", "on_bar"),
    [
        (time(6), time(18), [(25.0, 50.0)]),
        (time(18), time(6), [(0.0, 25.0), (75.0, 25.0)]),
        (time(18), time(0), [(75.0, 25.0)]),
    ],
)
def test_the_bar_shows_one_stretch_or_two_over_midnight(start, end, on_bar):
    assert stretches(start, end) == on_bar


def test_the_present_moment_stands_where_the_persons_clock_is():
    assert place_on_bar(NOON, "Europe/Vienna") == 50.0


def test_a_decision_is_told_with_whoever_made_it():
    event = ConsentEvent(channel="email", category_code="marketing", became=False, by="staff", who="Olga")
    assert change_in_words(event, {"marketing": "News"}) == "News, E-mail: off"
    assert by_in_words(event) == "Olga"
    assert by_in_words(ConsentEvent(by="client:shop")) == "shop"
    assert by_in_words(ConsentEvent(by="self")) == "the person"
    assert by_in_words(ConsentEvent(by="provider", source="sendgrid")) == "the person, through sendgrid"
