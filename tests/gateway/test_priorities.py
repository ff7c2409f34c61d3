"""0 to 10, and words for them."""

import pytest

from gateway import priorities


@pytest.mark.parametrize(
    ("lane", "numbers"), [("low", range(4)), ("normal", range(4, 7)), ("high", [7, 8]), ("critical", [9, 10])]
)
def test_every_priority_has_its_lane(lane, numbers):
    assert {priorities.lane(number) for number in numbers} == {lane}


def test_the_words_and_their_numbers():
    assert priorities.NAMES == {"low": 2, "normal": 5, "high": 8, "critical": 10}
    assert priorities.DEFAULT == 5


def test_a_word_lies_in_the_lane_it_names():
    assert {priorities.lane(number): number for number in priorities.NAMES.values()} == priorities.NAMES


def test_the_upper_two_lanes_wait_behind_nobody():
    urgent = {priorities.lane(n) for n in range(priorities.URGENT_FROM, priorities.MOST + 1)}

    assert urgent == {"high", "critical"}


def test_the_lane_that_ignores_quiet_hours():
    ignoring = [n for n in range(priorities.LEAST, priorities.MOST + 1) if n >= priorities.CRITICAL_FROM]

    assert ignoring == [9, 10]
