"""The gate before a provider: when it opens, how one trial closes it, and that a call holds no lock."""

import threading
from datetime import timedelta

import pytest

from consumers.circuit_breaker import LEAST_CALLS, ProviderBreaker, Ticket
from consumers.delivery_rules import Rules

RULES = Rules(breaker_failures=3, breaker_pause=timedelta(seconds=30))


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return ProviderBreaker("email.smtp", RULES, clock=clock)


def calls(breaker: ProviderBreaker, *healthy: bool | None) -> None:
    for each in healthy:
        ticket = breaker.admit()
        assert ticket is not None
        breaker.report(ticket, each)


def opened(breaker: ProviderBreaker) -> ProviderBreaker:
    calls(breaker, *[False] * RULES.breaker_failures)
    assert not breaker.is_closed
    return breaker


def half_opened(breaker: ProviderBreaker, clock: Clock) -> Ticket:
    opened(breaker)
    clock.now += 30
    trial = breaker.admit()
    assert trial is not None
    assert trial.is_trial
    return trial


# --- opening ----------------------------------------------------------------------------------------------------------
def test_failures_in_a_row_open_it(breaker):
    calls(breaker, False, False)
    assert breaker.is_closed
    calls(breaker, False)
    assert not breaker.is_closed
    assert breaker.admit() is None
    assert breaker.retry_after() == timedelta(seconds=30)


def test_a_success_in_between_starts_the_count_anew(breaker):
    calls(breaker, False, False, True, False, False)
    assert breaker.is_closed
    assert breaker.fail_counter == 2


def test_what_says_nothing_about_the_provider_is_not_counted(breaker):
    calls(breaker, False, False, None, None, False)
    assert not breaker.is_closed


def test_every_second_call_failing_opens_it_though_never_two_in_a_row(clock):
    breaker = ProviderBreaker("email.smtp", RULES, clock=clock)
    calls(breaker, *[True, False] * (LEAST_CALLS // 2 - 1), True)
    assert breaker.is_closed
    calls(breaker, False)
    assert not breaker.is_closed


def test_fewer_failures_than_the_rate_leave_it_closed(breaker):
    calls(breaker, *[True, True, False] * 100)
    assert breaker.is_closed


def test_only_the_last_calls_count_for_the_rate(clock):
    rules = Rules(breaker_failures=100, breaker_window=20, breaker_rate=0.5)
    breaker = ProviderBreaker("email.smtp", rules, clock=clock)
    calls(breaker, *[True] * 1000, *[False] * 9)
    assert breaker.is_closed
    calls(breaker, False)
    assert not breaker.is_closed


def test_a_wrong_key_opens_it_at_once(breaker):
    assert breaker.trip(breaker.admit())
    assert breaker.admit() is None
    assert breaker.fail_counter == 1


def test_whoever_reports_the_last_straw_is_told(breaker):
    tickets = [breaker.admit() for _ in range(4)]
    assert [breaker.report(ticket, False) for ticket in tickets] == [False, False, True, False]


def test_what_was_admitted_before_it_opened_changes_nothing_afterwards(breaker):
    late = breaker.admit()
    opened(breaker)
    assert not breaker.report(late, True)
    assert not breaker.trip(late)
    assert not breaker.is_closed


# --- half open --------------------------------------------------------------------------------------------------------
def test_after_the_pause_one_trial_is_let_through(breaker, clock):
    opened(breaker)
    clock.now += 29.9
    assert breaker.admit() is None
    clock.now += 0.1
    tickets = [breaker.admit() for _ in range(5)]
    assert [ticket is not None for ticket in tickets] == [True, False, False, False, False]


def test_only_one_of_many_threads_gets_the_trial(breaker, clock):
    opened(breaker)
    clock.now += 30
    together, got = threading.Barrier(8), []

    def ask() -> None:
        together.wait(10)
        got.append(breaker.admit())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len([ticket for ticket in got if ticket]) == 1


def test_a_trial_that_goes_well_closes_it(breaker, clock):
    assert breaker.report(half_opened(breaker, clock), True)
    assert breaker.is_closed
    assert breaker.fail_counter == 0
    calls(breaker, False, False)
    assert breaker.is_closed


def test_a_trial_that_fails_opens_it_for_another_pause(breaker, clock):
    assert breaker.report(half_opened(breaker, clock), False)
    assert breaker.retry_after() == timedelta(seconds=30)
    assert breaker.admit() is None


def test_a_trial_that_says_nothing_lets_another_one_through(breaker, clock):
    assert not breaker.report(half_opened(breaker, clock), None)
    again = breaker.admit()
    assert again is not None
    assert again.is_trial


def test_a_trial_with_a_wrong_key_opens_it(breaker, clock):
    assert breaker.trip(half_opened(breaker, clock))
    assert breaker.admit() is None


# --- following the others ---------------------------------------------------------------------------------------------
def test_it_opens_and_closes_with_the_others(breaker, clock):
    breaker.follow_open(timedelta(seconds=7))
    assert breaker.retry_after() == timedelta(seconds=7)
    breaker.follow_open(timedelta(seconds=3))
    assert breaker.retry_after() == timedelta(seconds=3)
    breaker.follow_closed()
    assert breaker.is_closed


def test_a_trial_under_way_here_is_not_overruled(breaker, clock):
    trial = half_opened(breaker, clock)
    breaker.follow_closed()
    assert not breaker.is_closed
    assert breaker.report(trial, False)
    assert not breaker.is_closed


def test_following_a_closed_one_keeps_the_count_of_failures(breaker):
    calls(breaker, False, False)
    breaker.follow_closed()
    calls(breaker, False)
    assert not breaker.is_closed


# --- threads ----------------------------------------------------------------------------------------------------------
def test_eight_calls_are_under_way_at_the_same_time(breaker):
    """The library's own `call` would let one after the other through: this barrier would never open."""
    together = threading.Barrier(8)

    def call() -> None:
        ticket = breaker.admit()
        together.wait(10)
        breaker.report(ticket, True)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not together.broken
    assert breaker.is_closed
