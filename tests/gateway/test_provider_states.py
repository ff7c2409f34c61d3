"""What all processes know of a provider: one trial among them, leases that end, what operators force."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now

from gateway import provider_states
from gateway.models import BreakerTransition, ProviderState
from gateway.provider_states import UnknownProviderState

pytestmark = pytest.mark.django_db

PAUSE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def smtp():
    provider_states.introduce("email", ["smtp"])


def open_it(**how) -> bool:
    given = {"pause": PAUSE, "failures": 5, "error": "451 busy", "who": "consumer-1"}
    return provider_states.note_opened("email", "smtp", **given | how)


def opened_and_due() -> None:
    open_it()
    ProviderState.objects.update(retry_at=Now())


def take(who: str = "consumer-1"):
    return provider_states.take_trial("email", "smtp", who=who)


def now():
    (state,) = provider_states.read_all("email")
    return state


def changes() -> list[str]:
    return list(BreakerTransition.objects.values_list("change", flat=True))


# --- opening and closing ----------------------------------------------------------------------------------------------
def test_a_provider_is_introduced_once_and_works():
    provider_states.introduce("email", ["smtp", "sendgrid"])
    assert [(each.provider, each.word) for each in provider_states.read_all()] == [
        ("sendgrid", "closed"),
        ("smtp", "closed"),
    ]


def test_the_first_who_finds_it_failing_opens_it_for_all():
    assert open_it()
    assert not open_it(who="consumer-2", error="later")
    state = now()
    assert state.word == "open"
    assert timedelta(seconds=25) < state.retry_in <= PAUSE
    row = ProviderState.objects.get()
    assert (row.consecutive_failures, row.last_error) == (5, "451 busy")
    assert changes() == ["opened"]


def test_a_provider_nobody_has_introduced_can_be_opened_too():
    assert provider_states.note_opened("push", "fcm", pause=PAUSE, failures=1, error="\x00bad\ud800", who="consumer-1")
    assert provider_states.read_all("push")[0].is_open
    assert ProviderState.objects.get(provider="fcm").last_error == "bad"


def test_the_state_of_one_channel_is_not_that_of_another():
    provider_states.introduce("push", ["smtp"])
    open_it()
    assert not provider_states.read_all("push")[0].is_open


# --- the one trial ----------------------------------------------------------------------------------------------------
def test_nobody_makes_a_trial_before_its_time():
    open_it()
    assert take() is None


def test_nobody_makes_a_trial_of_a_provider_that_works():
    assert take() is None


def test_one_process_gets_the_trial():
    opened_and_due()
    assert take("consumer-1") is not None
    assert take("consumer-2") is None
    assert now().word == "half_open"
    assert changes() == ["opened", "trial"]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_many_processes_at_once_one_gets_the_trial():
    opened_and_due()
    together, got = threading.Barrier(6), []

    def ask() -> None:
        try:
            together.wait(10)
            got.append(take())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(got) == 6
    assert len([token for token in got if token]) == 1


def test_a_trial_that_goes_well_closes_it_for_all():
    opened_and_due()
    assert provider_states.note_closed("email", "smtp", who="consumer-1", trial=take())
    assert now().word == "closed"
    assert ProviderState.objects.get().consecutive_failures == 0
    assert changes() == ["opened", "trial", "closed"]


def test_a_trial_that_fails_opens_it_for_another_pause():
    opened_and_due()
    assert open_it(trial=take(), error="still busy")
    state = now()
    assert (state.word, state.trial_for) == ("open", timedelta(0))
    assert state.retry_in > timedelta(seconds=25)
    assert take() is None


def test_a_trial_that_says_nothing_is_given_back_and_may_be_made_at_once():
    opened_and_due()
    provider_states.give_trial_back("email", "smtp", trial=take())
    assert take("consumer-2") is not None


def test_a_process_that_dies_over_its_trial_blocks_nobody_for_long():
    opened_and_due()
    dead = take("consumer-1")
    ProviderState.objects.update(trial_until=Now())
    heir = take("consumer-2")
    assert heir not in (None, dead)
    # Should the dead one wake up, its word counts no more.
    assert not provider_states.note_closed("email", "smtp", who="consumer-1", trial=dead)
    assert not open_it(trial=dead)
    provider_states.give_trial_back("email", "smtp", trial=dead)
    assert ProviderState.objects.get().trial_token == heir


# --- failures and pauses ----------------------------------------------------------------------------------------------
def test_failures_of_a_provider_that_is_still_asked_are_shown():
    provider_states.note_failures("email", "smtp", failures=3, error="451 busy")
    row = ProviderState.objects.get()
    assert (row.consecutive_failures, row.last_error, row.state) == (3, "451 busy", "closed")
    provider_states.note_failures("email", "smtp", failures=0, error="")
    row.refresh_from_db()
    assert (row.consecutive_failures, row.last_error) == (0, "451 busy")


def test_the_longest_pause_a_provider_asked_for_stands():
    provider_states.note_pause("email", "smtp", wait=timedelta(minutes=10))
    provider_states.note_pause("email", "smtp", wait=timedelta(seconds=5))
    assert timedelta(minutes=9) < now().paused_for <= timedelta(minutes=10)


# --- operators --------------------------------------------------------------------------------------------------------
def force(wish: str, **how) -> list[str]:
    return provider_states.force("smtp", wish, who="Olga", why="maintenance", **how)


@pytest.mark.parametrize("wish", ["open", "closed"])
def test_what_an_operator_forces_holds_until_it_is_taken_back(wish):
    assert force(wish) == ["email"]
    assert (now().forced, now().word, now().forced_for) == (wish, wish, None)
    force("auto")
    assert (now().forced, now().word) == ("", "closed")
    assert changes() == [f"forced_{wish}", "automatic"]
    row = ProviderState.objects.get()
    assert (row.forced_by, row.forced_why) == ("", "")


def test_a_force_with_an_end_ends_by_itself():
    force("open", lasts=timedelta(minutes=5))
    assert timedelta(minutes=4) < now().forced_for <= timedelta(minutes=5)
    ProviderState.objects.update(forced_until=Now())
    assert (now().forced, now().forced_for) == ("", None)


def test_back_to_automatic_lets_a_trial_be_made_at_once():
    open_it()
    provider_states.note_pause("email", "smtp", wait=timedelta(hours=1))
    force("auto")
    assert (now().retry_in, now().paused_for) == (timedelta(0), timedelta(0))
    assert take() is not None


def test_who_and_why_are_kept():
    force("open")
    entry = BreakerTransition.objects.get()
    assert (entry.channel, entry.provider, entry.who, entry.why) == ("email", "smtp", "Olga", "maintenance")


def test_a_provider_of_two_channels_can_be_forced_in_one():
    provider_states.introduce("push", ["smtp"])
    assert force("open", channel="push") == ["push"]
    assert not now().forced
    assert force("open") == ["email", "push"]
    assert now().forced == "open"


def test_an_unknown_provider_is_refused_with_those_that_are_known():
    with pytest.raises(UnknownProviderState, match="'smpt' is no provider in use; there are smtp"):
        provider_states.force("smpt", "open", who="Olga", why="maintenance")
    with pytest.raises(UnknownProviderState, match="there are none"):
        force("open", channel="push")


# --- the log ----------------------------------------------------------------------------------------------------------
def test_old_transitions_are_forgotten():
    open_it()
    BreakerTransition.objects.update(at=Now() - provider_states.KEEP_TRANSITIONS - timedelta(minutes=1))
    force("open")
    assert provider_states.forget_transitions() == 1
    assert changes() == ["forced_open"]
