"""A patient watcher of clocks: what a wall clock shows at every minute around each change of it, in every zone.

The oracle that quiet hours are held against. It shares nothing with `users/quiet_hours.py`: it never asks what moment a
wall-clock time means, it only looks at clocks and writes down when each time was first and last seen.

`python -m tests.users.clock_watcher` holds 200,000 cases against it, at changes in every zone since 1973.
"""

import argparse
import random
import sys
import time as stopwatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from users.quiet_hours import QuietWindow, quiet_until

MINUTE = timedelta(minutes=1)
DAY = 24 * 60  # minutes
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  of wall clocks and of UTC alike
EPOCH_UTC = EPOCH.replace(tzinfo=UTC)
#: Since then the offsets of all zones are whole minutes.
YEARS = (1973, 2037)
#: Minutes before and after a change that are watched; windows and moments stay well inside.
BEFORE, AFTER = 5 * DAY, 6 * DAY
#: Clocks are looked at so often where nothing happens. Two changes within it would have to undo each other.
GLANCE = 15
ENOUGH = 200_000
#: Windows per change, and moments per window.
WINDOWS, MOMENTS = 4, 4


@dataclass(frozen=True, slots=True)
class Change:
    """In the minute `at` (of UTC, since 1970) the clocks of `zone` jump."""

    zone: str
    at: int


def offset(zone: ZoneInfo, minute: int) -> int:
    """Minutes by which the wall clock is ahead of UTC."""
    shown = (EPOCH_UTC + minute * MINUTE).astimezone(zone).utcoffset()
    assert shown is not None
    minutes, rest = divmod(shown, MINUTE)
    assert not rest
    return minutes


def changes(name: str, years: tuple[int, int] = YEARS) -> Iterator[Change]:
    """Every change of a zone's clocks, found by looking at them once a day and, where they differ, closer."""
    zone = ZoneInfo(name)
    first, last = ((datetime(year, 1, 1) - EPOCH) // MINUTE for year in (years[0], years[1] + 1))  # noqa: DTZ001
    known = offset(zone, first)
    for day in range(first, last, DAY):
        if (then := offset(zone, day + DAY)) != known:
            low, high = day, day + DAY
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(zone, middle) == known else (low, middle)
            yield Change(name, high)
        known = then


class Watch:
    """What the wall clock shows near a change, minute by minute; as minutes since 1970, of the wall and of UTC."""

    def __init__(self, change: Change) -> None:
        self.zone = change.zone
        self.begin, self.end = change.at - BEFORE, change.at + AFTER
        zone = ZoneInfo(change.zone)
        runs = [*_runs(zone, self.begin, self.end)]
        self.low = min(begin + ahead for begin, _, ahead in runs)
        high = max(end + ahead for _, end, ahead in runs)
        #: By minute on the wall: when it was first and last shown. What is skipped is shown right after the gap.
        self.first: list[int | None] = [None] * (high - self.low)
        self.last: list[int | None] = list(self.first)
        for begin, end, ahead in reversed(runs):
            self.first[begin + ahead - self.low : end + ahead - self.low] = range(begin, end)
        for begin, end, ahead in runs:
            self.last[begin + ahead - self.low : end + ahead - self.low] = range(begin, end)
        for index in range(len(self.first) - 1, -1, -1):
            if self.first[index] is None:
                self.first[index] = self.last[index] = self.first[index + 1]
        self.wall_of_change = change.at - 1 + runs[0][2]
        self.change = change.at

    def silence(self, window: QuietWindow) -> int:
        """A bit for each watched minute: is it quiet? Overlapping windows of two days are one silence."""
        quiet = 0
        start, end = (each.hour * 60 + each.minute for each in (window.start, window.end))
        first_day = -(-self.low // DAY)
        for day in range(first_day, (self.low + len(self.first)) // DAY - 1):
            if (EPOCH.date() + timedelta(days=day)).weekday() not in window.days:
                continue
            begins = self.first[day * DAY + start - self.low]
            ends = self.last[(day + (end <= start)) * DAY + end - self.low]
            assert begins is not None
            assert ends is not None
            if begins < ends:
                quiet |= (1 << (ends - self.begin)) - (1 << (begins - self.begin))
        return quiet

    def quiet_until(self, silence: int, minute: int) -> int | None:
        """The first minute that is not quiet, from a quiet one on; None when it is not quiet."""
        left = silence >> (minute - self.begin)
        ones = (~left & (left + 1)).bit_length() - 1
        return minute + ones if ones else None


def _runs(zone: ZoneInfo, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(from, to, ahead): minutes of UTC over which the wall clock stays equally far ahead."""
    since, ahead = begin, offset(zone, begin)
    for glance in range(begin, end, GLANCE):
        until = min(glance + GLANCE, end)
        if offset(zone, until - 1) == ahead == offset(zone, glance):
            continue
        for minute in range(glance, until):
            if (now := offset(zone, minute)) != ahead:
                yield since, minute, ahead
                since, ahead = minute, now
    yield since, end, ahead


def _time_near(change_wall: int, chance: random.Random) -> time:
    """Mostly near what the clock shows when it jumps."""
    minute = change_wall + chance.randint(-180, 180) if chance.random() < 0.75 else chance.randrange(DAY)
    if chance.random() < 0.4:
        minute -= minute % 15
    return time(minute % DAY // 60, minute % 60)


def cases(watch: Watch, chance: random.Random) -> Iterator[tuple[QuietWindow, int]]:
    """Windows near a change, each with its silence."""
    for _ in range(WINDOWS):
        start, end = _time_near(watch.wall_of_change, chance), _time_near(watch.wall_of_change, chance)
        if start == end:
            continue
        days = range(7) if chance.random() < 0.4 else chance.sample(range(7), chance.randint(1, 6))
        window = QuietWindow(start=start, end=end, timezone=watch.zone, days=frozenset(days))
        yield window, watch.silence(window)


def moments(watch: Watch, silence: int, chance: random.Random) -> Iterator[datetime]:
    """Moments near a change: just at it, at edges of silence, anywhere in two days."""
    for number in range(MOMENTS):
        near = chance.randint(-2, 2) if number == 0 else chance.randint(-DAY, DAY)
        minute = watch.change + near
        if number == 1 and (end := watch.quiet_until(silence, minute)) is not None:
            minute = end - chance.randint(0, 1)
        seconds = chance.choice((0.0, 0.0, 0.000001, 30.0, 59.999999))
        yield EPOCH_UTC + minute * MINUTE + timedelta(seconds=seconds)


def wrong_answers(watched: Sequence[Change], *, seed: int) -> tuple[int, list[str]]:
    """How many cases were held against the oracle, and those in which it disagrees."""
    chance = random.Random(seed)  # noqa: S311  no secret
    count, wrong = 0, []
    for change in watched:
        watch = Watch(change)
        for window, silence in cases(watch, chance):
            for now in moments(watch, silence, chance):
                end = watch.quiet_until(silence, (now - EPOCH_UTC) // MINUTE)
                expected = None if end is None else EPOCH_UTC + end * MINUTE
                found = quiet_until(window, channel="email", now=now)
                count += 1
                if found != expected:
                    wrong.append(f"{window} at {now}: until {found}, not {expected}")
    return count, wrong


def every_change(years: tuple[int, int] = YEARS) -> dict[tuple[int, ...], list[Change]]:
    """Changes of all zones, by their moments: many zones are names of one."""
    found: dict[tuple[int, ...], list[Change]] = {}
    for name in sorted(available_timezones()):
        of_zone = list(changes(name, years))
        found.setdefault(tuple(change.at for change in of_zone), of_zone)
    return found


def main() -> int:
    """The whole proof, with its figures."""
    parser = argparse.ArgumentParser(prog="make quiet-hours-proof", description="Hold quiet hours against the oracle.")
    parser.add_argument("--seed", type=int, default=date.today().toordinal(), help="another one, other cases")  # noqa: DTZ011
    seed = parser.parse_args().seed
    began = stopwatch.monotonic()
    by_clocks = every_change()
    watched = [change for of_zone in by_clocks.values() for change in of_zone]
    print(f"{len(available_timezones())} zones, {len(by_clocks)} different clocks, {len(watched)} changes.")
    rounds, count, wrong = 0, 0, list[str]()
    while count < ENOUGH:
        more, mistakes = wrong_answers(watched, seed=seed + rounds)
        count, wrong, rounds = count + more, wrong + mistakes, rounds + 1
    took = stopwatch.monotonic() - began
    print(f"{count} cases (seed {seed}) in {took:.0f} s: {len(wrong)} wrong.", *wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
