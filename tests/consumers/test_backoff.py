"""What follows from a provider's answers, without a database, a clock or a sleep."""

from datetime import timedelta
from itertools import pairwise

import pytest

from consumers import backoff
from consumers.backoff import LONGEST_WAIT, retry_delay, verdict_after, verdict_before_hand_over
from consumers.delivery_rules import Rules
from gateway import statuses
from gateway.channel_contract import Outcome, SendResult
from gateway.models import WaitingFor
from gateway.outbox import Verdict
from gateway.reasons import REASONS
from tests.fakes import ACCEPTED, BUSY, CUT_OFF, REFUSED, TOO_FAST, WRONG_KEY, away

MAX_ATTEMPTS = 8
RULES = Rules(max_attempts=MAX_ATTEMPTS)


def after(*results: SendResult, tries_used: int = 0) -> Verdict:
    return verdict_after(results, provider="fake", tries_used=tries_used, rules=RULES)


def before(trouble, *, tries_used: int = 0) -> Verdict:
    return verdict_before_hand_over(trouble, provider="fake", tries_used=tries_used, rules=RULES)


def busy_for(wait: timedelta) -> SendResult:
    return SendResult(outcome=Outcome.TRANSIENT, detail="Come back later.", retry_after=wait)


def slow_down_for(wait: timedelta) -> SendResult:
    return SendResult(outcome=Outcome.THROTTLED, retry_after=wait)


# --- how long to wait -------------------------------------------------------------------------------------------------
def test_the_first_retry_comes_after_about_ten_seconds():
    assert all(timedelta(seconds=10) <= retry_delay(1, RULES) <= timedelta(seconds=20) for _ in range(200))


def test_the_wait_about_doubles_with_each_try():
    shortest = [min(retry_delay(tries, RULES) for _ in range(200)) for tries in range(1, 7)]
    assert all(1.6 * earlier < later < 2.4 * earlier for earlier, later in pairwise(shortest))


def test_the_wait_never_exceeds_fifteen_minutes():
    waits = [retry_delay(tries, RULES) for tries in (7, 8, 20, 50, 5000) for _ in range(50)]
    assert max(waits) <= timedelta(minutes=15)
    assert min(waits) >= timedelta(minutes=10)


@pytest.mark.parametrize("tries", [1, 4, 7])
def test_waits_are_spread_so_that_a_crowd_does_not_come_back_at_once(tries):
    waits = {retry_delay(tries, RULES) for _ in range(100)}
    assert len(waits) > 50
    assert max(waits) - min(waits) > timedelta(seconds=1)


@pytest.mark.parametrize("tries", [0, -3])
def test_a_wait_before_the_first_try_is_that_of_the_first(tries):
    assert retry_delay(tries, RULES) >= timedelta(seconds=10)


# --- one answer -------------------------------------------------------------------------------------------------------
def test_an_accepted_message_makes_the_notification_sent():
    verdict = after(ACCEPTED)
    assert verdict.change is statuses.SEND
    assert verdict.reason == "sent"
    assert verdict.data == {"provider": "fake"}
    assert "sent_at" in verdict.columns


def test_trouble_means_another_try_later_and_uses_one_up():
    verdict = after(BUSY)
    assert verdict.change is statuses.RETRY
    assert verdict.reason == "retrying"
    assert verdict.waiting_for == WaitingFor.RETRY
    assert verdict.uses_attempt
    assert verdict.data == {"provider": "fake", "last_error": "Come back later.", "n": "2", "m": "8"}
    assert timedelta(seconds=10) <= verdict.available <= timedelta(seconds=20)


def test_later_tries_wait_longer():
    assert after(BUSY, tries_used=4).available >= timedelta(seconds=160)


def test_the_providers_own_wait_wins_when_it_is_longer():
    assert after(busy_for(timedelta(minutes=40))).available == timedelta(minutes=40)


def test_our_own_wait_wins_when_it_is_longer():
    assert after(busy_for(timedelta(seconds=1))).available >= timedelta(seconds=10)


def test_a_provider_that_asks_for_a_year_is_asked_again_tomorrow():
    assert after(busy_for(timedelta(days=365))).available == LONGEST_WAIT
    assert after(slow_down_for(timedelta(days=365))).available == LONGEST_WAIT
    assert before(away(retry_after=timedelta(days=365))).available == LONGEST_WAIT
    too_fast = away(outcome=Outcome.THROTTLED, retry_after=timedelta(days=365))
    assert before(too_fast).available == LONGEST_WAIT


def test_the_last_try_gives_up():
    verdict = after(BUSY, tries_used=MAX_ATTEMPTS - 1)
    assert verdict.change is statuses.GIVE_UP
    assert verdict.reason == "attempts_exhausted"
    assert verdict.data == {"n": "8", "error": "Come back later.", "provider": "fake"}
    assert verdict.uses_attempt


def test_the_try_before_the_last_does_not_give_up():
    assert after(BUSY, tries_used=MAX_ATTEMPTS - 2).change is statuses.RETRY


def test_a_permanent_refusal_ends_it_with_the_providers_reason():
    verdict = after(REFUSED)
    assert verdict.change is statuses.GIVE_UP
    assert verdict.reason == "mailbox_unknown"
    assert verdict.data == {"provider": "fake", "error": "No such mailbox.", "code": "550 5.1.1"}


def test_a_wish_to_slow_down_uses_no_try_up():
    verdict = after(slow_down_for(timedelta(seconds=7)), tries_used=MAX_ATTEMPTS - 1)
    assert verdict.change is statuses.RETRY
    assert verdict.reason == "rate_limited"
    assert verdict.waiting_for == WaitingFor.PACING
    assert verdict.available == timedelta(seconds=7)
    assert not verdict.uses_attempt


def test_a_wish_to_slow_down_without_a_time_waits_a_little():
    assert after(TOO_FAST).available == backoff.THROTTLED_WAIT


def test_our_own_mistake_uses_no_try_up_and_waits():
    verdict = after(WRONG_KEY, tries_used=MAX_ATTEMPTS - 1)
    assert verdict.change is statuses.RETRY
    assert verdict.reason == "provider_auth"
    assert verdict.available == backoff.MISCONFIGURED_WAIT
    assert not verdict.uses_attempt


def test_a_doubt_stays_a_doubt_even_at_the_last_try():
    verdict = after(CUT_OFF, tries_used=MAX_ATTEMPTS - 1)
    assert verdict.change is statuses.DOUBT
    assert verdict.reason == "outcome_unknown"
    assert verdict.uses_attempt
    assert verdict.available is None


# --- several devices --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("results", "change", "reason"),
    [
        ([ACCEPTED, REFUSED], statuses.SEND, "sent"),
        ([BUSY, ACCEPTED], statuses.SEND, "sent"),
        ([CUT_OFF, ACCEPTED], statuses.SEND, "sent"),
        ([ACCEPTED, WRONG_KEY, TOO_FAST], statuses.SEND, "sent"),
        ([CUT_OFF, BUSY], statuses.DOUBT, "outcome_unknown"),
        ([REFUSED, CUT_OFF], statuses.DOUBT, "outcome_unknown"),
        ([TOO_FAST, CUT_OFF, WRONG_KEY], statuses.DOUBT, "outcome_unknown"),
        ([REFUSED, REFUSED], statuses.GIVE_UP, "mailbox_unknown"),
        ([REFUSED, BUSY], statuses.RETRY, "retrying"),
        ([TOO_FAST, BUSY], statuses.RETRY, "retrying"),
        ([WRONG_KEY, BUSY], statuses.RETRY, "retrying"),
        ([REFUSED, TOO_FAST], statuses.RETRY, "rate_limited"),
        ([REFUSED, WRONG_KEY], statuses.RETRY, "provider_auth"),
        ([TOO_FAST, WRONG_KEY], statuses.RETRY, "provider_auth"),
    ],
)
def test_answers_for_several_devices_become_one_verdict(results, change, reason):
    for order in (results, results[::-1]):
        verdict = after(*order)
        assert (verdict.change, verdict.reason) == (change, reason)


def test_one_device_in_trouble_uses_a_try_up_though_another_is_only_throttled():
    assert after(TOO_FAST, BUSY).uses_attempt


def test_among_devices_the_longest_wait_counts():
    assert after(busy_for(timedelta(minutes=20)), slow_down_for(timedelta(minutes=50))).available == timedelta(
        minutes=50
    )


def test_the_wait_of_a_device_with_a_final_answer_does_not_count():
    final = SendResult(outcome=Outcome.PERMANENT, retry_after=timedelta(hours=5))
    assert after(final, BUSY).available < timedelta(minutes=1)


# --- before the hand-over ---------------------------------------------------------------------------------------------
def test_a_provider_that_is_away_uses_a_try_up():
    verdict = before(away())
    assert verdict.change is statuses.POSTPONE
    assert verdict.reason == "provider_down"
    assert verdict.waiting_for == WaitingFor.RETRY
    assert verdict.uses_attempt
    assert verdict.data == {"provider": "fake", "n": "2", "m": "8"}
    assert timedelta(seconds=10) <= verdict.available <= timedelta(seconds=20)


def test_a_provider_that_is_away_at_the_last_try_ends_it():
    verdict = before(away("Connection refused."), tries_used=MAX_ATTEMPTS - 1)
    assert verdict.change is statuses.GIVE_UP_EARLY
    assert verdict.reason == "attempts_exhausted"
    assert verdict.data == {"n": "8", "error": "Connection refused.", "provider": "fake"}


def test_a_provider_that_refuses_our_key_uses_no_try_up():
    verdict = before(away(outcome=Outcome.MISCONFIGURED), tries_used=MAX_ATTEMPTS - 1)
    assert verdict.change is statuses.POSTPONE
    assert verdict.reason == "provider_auth"
    assert not verdict.uses_attempt


def test_a_provider_that_is_too_busy_to_connect_uses_no_try_up():
    trouble = away(outcome=Outcome.THROTTLED, retry_after=timedelta(seconds=33))
    verdict = before(trouble, tries_used=MAX_ATTEMPTS - 1)
    assert verdict.change is statuses.POSTPONE
    assert verdict.available == timedelta(seconds=33)
    assert not verdict.uses_attempt


def test_the_wait_of_a_provider_that_is_away_wins_when_it_is_longer():
    assert before(away(retry_after=timedelta(minutes=3))).available == timedelta(minutes=3)


# --- every answer -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("tries_used", [0, MAX_ATTEMPTS - 1, MAX_ATTEMPTS + 3])
def test_every_outcome_has_a_verdict_the_table_allows_and_people_can_read(outcome, tries_used):
    verdict = after(SendResult(outcome=outcome), tries_used=tries_used)
    assert verdict.change.sources == {statuses.Status.SENDING}
    assert verdict.reason in REASONS
    early = before(away(outcome=outcome), tries_used=tries_used)
    assert early.change.sources == {statuses.Status.CLAIMED}
    assert early.reason in REASONS
