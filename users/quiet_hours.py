"""Is it quiet for a person now, and until when: pure, in wall-clock time of the person's zone.

The wall clock decides, so a night is 22:00-07:00 on the day clocks change too. An end that does not exist (clocks go
forward) means the first moment after the gap; of an hour that comes twice the end counts the second time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = frozenset(range(7))
ONE_DAY = timedelta(days=1)
#: Whose windows may last now, counted from the day the clock shows: yesterday's runs over midnight.
AROUND = (-1, 0)
#: Where clocks go back over midnight (00:01 to 23:01): tomorrow's may have begun, that of two days ago may still last.
AROUND_A_CHANGE = (-2, -1, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietWindow:
    """When a person wants silence. `end` before `start` runs over midnight and belongs to the day it starts on."""

    start: time
    end: time
    #: IANA name.
    timezone: str
    #: Monday is 0.
    days: frozenset[int] = EVERY_DAY
    #: Channel names; empty means all.
    channels: frozenset[str] = frozenset()


def quiet_until(window: QuietWindow, *, channel: str, now: datetime) -> datetime | None:
    """The moment (UTC) silence ends, or None when it is not quiet for this channel at `now` (aware)."""
    if window.channels and channel not in window.channels:
        return None
    zone = ZoneInfo(window.timezone)
    silence_ends = None
    # Where clocks change, the windows of two days can meet or overlap: then they are one silence.
    while end := _end_of_window(window, zone, silence_ends or now):
        silence_ends = end
    return silence_ends


def _end_of_window(window: QuietWindow, zone: ZoneInfo, now: datetime) -> datetime | None:
    today = now.astimezone(zone).date()
    is_near_change = (now - ONE_DAY).astimezone(zone).utcoffset() != (now + ONE_DAY).astimezone(zone).utcoffset()
    around = AROUND_A_CHANGE if is_near_change else AROUND
    ends = [end for days in around if (end := _end_if_inside(window, today + days * ONE_DAY, zone, now))]
    return max(ends) if ends else None


def _end_if_inside(window: QuietWindow, day: date, zone: ZoneInfo, now: datetime) -> datetime | None:
    if day.weekday() not in window.days:
        return None
    last_day = day if window.end > window.start else day + ONE_DAY
    begins = _moment(day, window.start, zone, second_time=False)
    ends = _moment(last_day, window.end, zone, second_time=True)
    return ends if begins <= now < ends else None


def _moment(day: date, wall: time, zone: ZoneInfo, *, second_time: bool) -> datetime:
    """The moment (UTC) a wall clock in `zone` shows `wall` on `day`; in a gap, the first moment after it."""
    local = datetime.combine(day, wall, tzinfo=zone)
    early, late = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if _shows(early, zone, local):
        return late if second_time else early
    # In a gap fold=0 counts with the offset before it, fold=1 with the one after: the change lies between them.
    return _first_moment_after_gap(late, early, zone)


def _shows(moment: datetime, zone: ZoneInfo, local: datetime) -> bool:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None, fold=0)


def _first_moment_after_gap(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """Bisect between `low` (before the change) and `high` (after it) to the second the offset changes."""
    after = high.astimezone(zone).utcoffset()
    # Clocks change on whole seconds. With a fraction the middle would be rounded below `low`, for ever.
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high
