"""How many may go now, when the others come again, and the pauses a provider asks for."""

from datetime import timedelta

import pytest

from consumers.pacing import LONGEST_BOOKING, Pace
from tests.consumers.test_circuit_breaker import Clock


@pytest.fixture
def clock():
    return Clock()


def seconds(*numbers: float) -> list[timedelta]:
    return [timedelta(seconds=number) for number in numbers]


def test_without_a_rate_everything_goes_at_once(clock):
    assert Pace(None, clock=clock).take(100_000) == 100_000


def test_a_second_s_worth_goes_at_once_and_then_as_many_as_time_allows(clock):
    pace = Pace(10, clock=clock)
    assert [pace.take(7), pace.take(7), pace.take(7)] == [7, 3, 0]
    clock.now += 0.35
    assert pace.take(7) == 3
    clock.now += 3600
    assert pace.take(100) == 10


def test_over_a_long_time_the_rate_is_kept(clock):
    pace, gone = Pace(10, clock=clock), 0
    for _ in range(1000):
        gone += pace.take(5)
        clock.now += 0.07
    assert 700 <= gone <= 700 + 10 + 1


def test_a_rate_below_one_a_second_lets_single_ones_through(clock):
    pace = Pace(0.1, clock=clock)
    assert [pace.take(5), pace.take(5)] == [1, 0]
    clock.now += 10
    assert pace.take(5) == 1


def test_a_message_to_many_devices_is_paid_for_afterwards(clock):
    pace = Pace(10, clock=clock)
    assert pace.take(1) == 1
    pace.charge(29)
    clock.now += 2
    assert pace.take(10) == 0
    clock.now += 1
    assert pace.take(10) == 10


def test_what_was_taken_and_not_used_can_be_given_back(clock):
    pace = Pace(10, clock=clock)
    pace.take(10)
    pace.charge(-4)
    assert pace.take(10) == 4


def test_those_who_wait_come_one_behind_the_other(clock):
    pace = Pace(2, clock=clock)
    assert pace.book(4) == seconds(1, 1, 2, 2)
    assert pace.book(2) == seconds(3, 3)
    clock.now += 2
    assert pace.book(1) == seconds(2)


def test_nobody_is_sent_away_for_ever(clock):
    pace = Pace(1, clock=clock)
    assert max(pace.book(100_000)) == LONGEST_BOOKING
    assert max(pace.book(5)) == LONGEST_BOOKING


def test_the_longer_of_two_pauses_counts(clock):
    pace = Pace(None, clock=clock)
    pace.pause(timedelta(seconds=30))
    pace.pause(timedelta(seconds=10))
    assert pace.paused_for() == timedelta(seconds=30)
    clock.now += 31
    assert pace.paused_for() == timedelta(0)


def test_an_operator_may_end_a_pause(clock):
    pace = Pace(None, clock=clock)
    pace.pause(timedelta(hours=1))
    pace.follow_pause(timedelta(0))
    assert not pace.paused_for()


def test_those_who_share_a_rate_take_equal_parts_of_it(clock):
    pace = Pace(10, clock=clock)
    pace.share(2)
    assert pace.take(100) == 5
    clock.now += 1
    assert pace.take(100) == 5
    pace.share(1)
    clock.now += 1
    assert pace.take(100) == 10
    assert not Pace(None, clock=clock).is_limited


def test_a_slow_rate_lets_one_through_at_a_time_however_many_share_it(clock):
    pace = Pace(1, clock=clock)
    pace.share(4)
    assert [pace.take(1), pace.take(1)] == [1, 0]
    clock.now += 3.9
    assert pace.take(1) == 0
    clock.now += 0.2
    assert pace.take(1) == 1


def test_one_that_has_just_started_takes_nothing_until_the_others_have_noticed_it(clock):
    pace = Pace(10, clock=clock, held_until=clock() + 3)
    assert pace.take(5) == 0
    assert pace.book(1) == [timedelta(seconds=4)]
    clock.now += 3
    assert pace.take(50) == 10
