from datetime import timedelta

import pytest

from gateway.callback_posts import WAITS, TryResult, wait_after


def result(status_code=500, **more):
    return TryResult(status_code=status_code, duration_ms=1, **more)


@pytest.mark.parametrize(
    ("status_code", "is_good"), [(200, True), (204, True), (299, True), (300, False), (199, False)]
)
def test_only_2xx_is_a_success(status_code, is_good):
    assert result(status_code).is_success is is_good


def test_no_answer_is_no_success():
    assert not result(None, error="timeout").is_success


@pytest.mark.parametrize("tries", range(1, 10))
def test_a_wait_has_up_to_a_tenth_on_top(tries):
    assert wait_after(tries, result(), chance=0) == WAITS[tries - 1]
    assert wait_after(tries, result(), chance=1) == WAITS[tries - 1] * 1.1
    assert WAITS[tries - 1] <= wait_after(tries, result()) <= WAITS[tries - 1] * 1.1


def test_ten_tries_are_all():
    assert wait_after(10, result()) is None
    assert wait_after(10, result(503, retry_after=timedelta(hours=1))) is None


@pytest.mark.parametrize("status_code", [429, 502, 503, 504])
def test_a_receiver_may_ask_for_more_time_but_not_for_ever(status_code):
    hour, week = timedelta(hours=1), timedelta(weeks=1)

    assert wait_after(1, result(status_code, retry_after=hour), chance=0) == hour
    assert wait_after(1, result(status_code, retry_after=week), chance=0) == timedelta(hours=24)
    assert wait_after(9, result(status_code, retry_after=hour), chance=0) == timedelta(hours=24)


@pytest.mark.parametrize("status_code", [200, 301, 400, 500])
def test_other_answers_do_not_delay(status_code):
    assert wait_after(1, result(status_code, retry_after=timedelta(hours=1)), chance=0) == timedelta(seconds=5)
