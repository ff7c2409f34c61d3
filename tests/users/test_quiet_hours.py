"""Wall-clock silence in every kind of zone, held against an oracle that walks minute by minute."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.users.clock_watcher import changes, wrong_answers
from users.quiet_hours import QuietWindow, quiet_until

MINUTE = timedelta(minutes=1)
#: Weekdays as Python counts them.
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
VIENNA = "Europe/Vienna"
NIGHT = {"start": time(22), "end": time(7)}


def window(*, start, end, timezone="UTC", days=range(7), channels=()):
    return QuietWindow(start=start, end=end, timezone=timezone, days=frozenset(days), channels=frozenset(channels))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def until(quiet, moment, channel="email"):
    return quiet_until(quiet, channel=channel, now=utc(moment))


# --- a window ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-23 11:59:59", None),
        ("2026-11-23 12:00:00", "2026-11-23 14:00"),  # the start belongs to it
        ("2026-11-23 13:59:59.999999", "2026-11-23 14:00"),
        ("2026-11-23 14:00:00", None),  # the end does not
    ],
)
def test_within_a_day(moment, end):
    assert until(window(start=time(12), end=time(14)), moment) == (end and utc(end))


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-23 21:59", None),
        ("2026-11-23 22:00", "2026-11-24 07:00"),
        ("2026-11-23 23:59", "2026-11-24 07:00"),
        ("2026-11-24 00:00", "2026-11-24 07:00"),
        ("2026-11-24 06:59", "2026-11-24 07:00"),
        ("2026-11-24 07:00", None),
    ],
)
def test_an_end_before_the_start_runs_over_midnight(moment, end):
    assert until(window(**NIGHT), moment) == (end and utc(end))


def test_the_wall_clock_of_the_zone_decides():
    vienna = window(**NIGHT, timezone=VIENNA)  # UTC+1 in November

    assert until(vienna, "2026-11-23 20:59") is None
    assert until(vienna, "2026-11-23 21:00") == utc("2026-11-24 06:00")


def test_now_may_be_told_in_any_zone():
    now = datetime(2026, 11, 23, 22, 30, tzinfo=ZoneInfo("Asia/Tokyo"))

    assert quiet_until(window(start=time(13), end=time(14)), channel="email", now=now) == utc("2026-11-23 14:00")


def test_the_answer_is_in_utc():
    end = until(window(**NIGHT, timezone=VIENNA), "2026-11-23 23:00")

    assert end.tzinfo is UTC


def test_a_window_over_midnight_belongs_to_the_day_it_starts_on():
    fridays = window(**NIGHT, days=[FRI])

    assert until(fridays, "2026-11-27 23:00") == utc("2026-11-28 07:00")  # Friday night
    assert until(fridays, "2026-11-28 06:00") == utc("2026-11-28 07:00")  # still Friday's window, on Saturday
    assert until(fridays, "2026-11-27 06:00") is None  # that would be Thursday's
    assert until(fridays, "2026-11-28 23:00") is None


def test_weekdays_are_those_of_the_zone():
    mondays = window(start=time(6), end=time(8), timezone="Pacific/Auckland", days=[MON])  # UTC+13

    assert until(mondays, "2026-11-22 17:30") == utc("2026-11-22 19:00")  # Sunday in London, Monday 06:30 over there
    assert until(mondays, "2026-11-23 17:30") is None


def test_only_the_named_channels_are_silent():
    pushes = window(**NIGHT, channels=["push"])

    assert until(pushes, "2026-11-23 23:00", channel="push") == utc("2026-11-24 07:00")
    assert until(pushes, "2026-11-23 23:00", channel="email") is None


def test_no_named_channel_means_all():
    assert until(window(**NIGHT), "2026-11-23 23:00", channel="push") == utc("2026-11-24 07:00")
    assert until(window(**NIGHT), "2026-11-23 23:00", channel="email") == utc("2026-11-24 07:00")


def test_all_but_a_minute_of_the_day():
    quiet = window(start=time(0), end=time(23, 59))

    assert until(quiet, "2026-11-23 00:00") == utc("2026-11-23 23:59")
    assert until(quiet, "2026-11-23 23:59") is None
    assert until(quiet, "2026-11-24 00:00") == utc("2026-11-24 23:59")


# --- odd zones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "moment", "end"),
    [
        ("Asia/Kathmandu", "2026-11-23 16:15", "2026-11-24 01:15"),  # UTC+5:45
        ("Pacific/Chatham", "2026-11-23 08:15", "2026-11-23 17:15"),  # UTC+13:45 in summer
        ("Pacific/Kiritimati", "2026-11-23 08:00", "2026-11-23 17:00"),  # UTC+14
        ("Pacific/Niue", "2026-11-24 09:00", "2026-11-24 18:00"),  # UTC-11
        ("America/St_Johns", "2026-11-24 01:30", "2026-11-24 10:30"),  # UTC-3:30
    ],
)
def test_zones_with_odd_offsets(zone, moment, end):
    quiet = window(**NIGHT, timezone=zone)

    assert until(quiet, moment) == utc(end)
    assert quiet_until(quiet, channel="email", now=utc(moment) - MINUTE) is None


# --- the days clocks change -------------------------------------------------------------------------------------------


def test_a_night_is_an_hour_shorter_when_clocks_go_forward():
    assert until(window(**NIGHT, timezone=VIENNA), "2026-03-28 21:00") == utc("2026-03-29 05:00")


def test_a_night_is_an_hour_longer_when_clocks_go_back():
    assert until(window(**NIGHT, timezone=VIENNA), "2026-10-24 20:00") == utc("2026-10-25 06:00")


def test_an_end_in_the_gap_means_the_first_minute_after_it():
    # Vienna, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
    assert until(window(start=time(22), end=time(2, 30), timezone=VIENNA), "2026-03-28 23:00") == utc(
        "2026-03-29 01:00"
    )


def test_a_start_in_the_gap_means_the_first_minute_after_it():
    quiet = window(start=time(2, 30), end=time(4), timezone=VIENNA)

    assert until(quiet, "2026-03-29 00:59") is None
    assert until(quiet, "2026-03-29 01:00") == utc("2026-03-29 02:00")


def test_a_window_inside_the_gap_does_not_happen():
    quiet = window(start=time(2, 15), end=time(2, 45), timezone=VIENNA)

    assert until(quiet, "2026-03-29 00:59") is None
    assert until(quiet, "2026-03-29 01:00") is None
    assert until(quiet, "2026-03-28 01:30") == utc("2026-03-28 01:45")


def test_of_a_doubled_hour_the_end_counts_the_second_time():
    # Vienna, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC, so 02:30 is at 00:30 and at 01:30.
    quiet = window(start=time(22), end=time(2, 30), timezone=VIENNA)

    assert until(quiet, "2026-10-25 00:00") == utc("2026-10-25 01:30")
    assert until(quiet, "2026-10-25 00:45") == utc("2026-10-25 01:30")


def test_of_a_doubled_hour_the_start_counts_the_first_time():
    quiet = window(start=time(2, 30), end=time(6), timezone=VIENNA)

    assert until(quiet, "2026-10-25 00:29") is None
    assert until(quiet, "2026-10-25 00:30") == utc("2026-10-25 05:00")


def test_half_an_hour_of_summer_time():
    # Lord Howe: on 4 October 2026 02:00 becomes 02:30 (15:30 UTC the day before); on 5 April 02:00 becomes 01:30.
    forward = window(start=time(22), end=time(2, 15), timezone="Australia/Lord_Howe")
    back = window(start=time(22), end=time(1, 45), timezone="Australia/Lord_Howe")

    assert until(forward, "2026-10-03 14:00") == utc("2026-10-03 15:30")
    assert until(back, "2026-04-04 14:00") == utc("2026-04-04 15:15")


def test_clocks_that_change_at_midnight():
    # Cairo, 24 April 2026: 00:00 becomes 01:00 at 22:00 UTC the day before.
    quiet = window(start=time(20), end=time(0, 30), timezone="Africa/Cairo")

    assert until(quiet, "2026-04-23 21:00") == utc("2026-04-23 22:00")


def test_summer_time_that_pauses_for_ramadan():
    # Casablanca, 2026: UTC+0 from 15 February to 22 March, when 02:00 becomes 03:00.
    quiet = window(start=time(22), end=time(2, 30), timezone="Africa/Casablanca")

    assert until(quiet, "2026-03-10 23:00") == utc("2026-03-11 02:30")
    assert until(quiet, "2026-03-21 23:00") == utc("2026-03-22 02:00")
    assert until(quiet, "2026-03-22 23:00") == utc("2026-03-23 01:30")


def test_a_day_that_was_left_out_altogether():
    # Apia crossed the date line: after 29 December 2011 came the 31st, at 10:00 UTC on the 30th. It was one night.
    assert until(window(**NIGHT, timezone="Pacific/Apia"), "2011-12-30 09:00") == utc("2011-12-30 17:00")


@pytest.mark.parametrize("microsecond", [1, 100_000, 500_000, 999_999])
@pytest.mark.parametrize("second", [0, 1, 2, 59])
@pytest.mark.parametrize("minute", [0, 1, 59])
def test_an_end_in_the_gap_with_a_fraction_of_a_second(minute, second, microsecond):
    end = time(2, minute, second, microsecond)

    assert until(window(start=time(22), end=end, timezone=VIENNA), "2026-03-28 23:00") == utc("2026-03-29 01:00")


# --- windows that meet ------------------------------------------------------------------------------------------------


def test_windows_that_meet_in_the_gap_are_one_silence():
    # Both 02:15, where Saturday's ends, and 02:30, where Sunday's begins, are 03:00 that day.
    quiet = window(start=time(2, 30), end=time(2, 15), timezone=VIENNA)

    assert until(quiet, "2026-03-28 12:00") == utc("2026-03-30 00:15")


def test_windows_that_overlap_in_the_doubled_hour_are_one_silence():
    # Saturday's ends at the second 02:15, Sunday's begins at the first 02:30, which is earlier.
    quiet = window(start=time(2, 30), end=time(2, 15), timezone=VIENNA)

    assert until(quiet, "2026-10-24 12:00") == utc("2026-10-26 01:15")
    assert until(quiet, "2026-10-25 00:20") == utc("2026-10-26 01:15")


def test_clocks_that_go_back_over_midnight():
    # Goose Bay, 4 November 2007: 00:01 becomes 23:01 of the 3rd at 03:01 UTC.
    begun = window(start=time(0), end=time(5, 30), timezone="America/Goose_Bay", days=[SUN])
    lasting = window(start=time(23, 59), end=time(23, 58), timezone="America/Goose_Bay", days=[FRI])

    assert until(begun, "2007-11-04 03:02") == utc("2007-11-04 09:30")  # begun at the first 00:00
    assert until(lasting, "2007-11-04 03:00:30") == utc("2007-11-04 03:58")  # it is Sunday for a minute


# --- against an oracle ------------------------------------------------------------------------------------------------

#: Clocks that change at midnight, over midnight, by half an hour, by two, by a day, for Ramadan, and by an hour.
PLACES = [
    *("Europe/Vienna", "America/New_York", "America/Santiago", "America/Moncton", "Africa/Cairo", "Africa/Casablanca"),
    *("Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia", "Pacific/Chatham", "America/St_Johns", "Asia/Beirut"),
]


@pytest.mark.parametrize("zone", PLACES)
def test_every_answer_is_that_of_a_patient_watcher_of_clocks(zone):
    """A sample; `make quiet-hours-proof` asks about every change of every zone since 1973."""
    years = (2005, 2012) if zone in ("Pacific/Apia", "America/St_Johns", "America/Moncton") else (2024, 2027)

    count, wrong = wrong_answers(list(changes(zone, years))[:8], seed=7)

    assert count >= 30
    assert wrong == []
