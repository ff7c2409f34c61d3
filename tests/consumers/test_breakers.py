"""What a process knows of a channel's providers: how it follows the table, and gets along without it."""

from datetime import timedelta

import pytest
from django.db import DataError, OperationalError
from django.db.models.functions import Now

from channels_email.channel import EmailChannel
from consumers.breakers import FOLLOW_EVERY, NOTICED_WITHIN, Breakers, NotNow, Obstacle, Permit
from consumers.delivery_rules import DeliveryRules, Rules
from gateway import provider_states
from gateway.channel_contract import Outcome
from gateway.models import ProviderState
from tests.consumers.engine import breakers_of
from tests.consumers.test_circuit_breaker import Clock
from tests.fakes import ChannelWith, FakeProvider

pytestmark = pytest.mark.django_db

#: Without a transaction of the test around it: the code lets go of a connection that has failed.
on_its_own = pytest.mark.django_db(transaction=True, serialized_rollback=True)
RULES = DeliveryRules(default=Rules(breaker_failures=3))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def process(clock):
    def make(holder: str = "consumer-1", rules: DeliveryRules = RULES) -> Breakers:
        channel = ChannelWith(EmailChannel(), FakeProvider(name="smtp"), FakeProvider(name="sendgrid"))
        return breakers_of(channel, rules=rules, holder=holder, clock=clock)

    return make


@pytest.fixture
def no_table(monkeypatch):
    def gone(*args, **kwargs):
        raise OperationalError("server closed the connection")

    for name in ("read_all", "take_trial", "introduce"):
        monkeypatch.setattr(provider_states, name, gone)
    return monkeypatch


def permit(breakers: Breakers) -> Permit:
    given = breakers.ask("smtp", wanted=10)
    assert isinstance(given, Permit)
    return given


def refusal(breakers: Breakers) -> NotNow:
    given = breakers.ask("smtp", wanted=10)
    assert isinstance(given, NotNow)
    return given


def fail(breakers: Breakers, times: int = 3) -> None:
    for _ in range(times):
        breakers.report(permit(breakers), [Outcome.TRANSIENT], error="451 busy")
    breakers.tell()


def state():
    return next(each for each in provider_states.read_all("email") if each.provider == "smtp")


# --- following --------------------------------------------------------------------------------------------------------
def test_every_provider_has_a_row_after_the_first_look(process):
    process().follow()
    assert {each.provider for each in provider_states.read_all("email")} == {"smtp", "sendgrid"}


def test_the_table_is_looked_at_once_in_a_while_and_not_for_every_message(process, clock, django_assert_num_queries):
    breakers = process()
    breakers.follow()
    with django_assert_num_queries(0):
        for _ in range(100):
            breakers.report(permit(breakers), [Outcome.ACCEPTED])
            breakers.tell()
    clock.now += FOLLOW_EVERY.total_seconds()
    with django_assert_num_queries(1):
        breakers.follow()
        breakers.follow()


def test_a_process_follows_the_others_within_two_seconds(process, clock):
    ours, theirs = process("consumer-1"), process("consumer-2")
    permit(theirs)
    fail(ours)
    clock.now += FOLLOW_EVERY.total_seconds()
    answer = refusal(theirs)
    assert answer.obstacle is Obstacle.BREAKER
    assert timedelta(seconds=25) < answer.wait <= timedelta(seconds=30)
    ProviderState.objects.update(state="closed", retry_at=None)
    clock.now += FOLLOW_EVERY.total_seconds()
    assert not permit(theirs).is_trial
    assert not permit(ours).is_trial


def test_what_was_just_found_is_not_undone_by_an_older_look_at_the_table(process, monkeypatch, clock):
    breakers = process()
    breakers.follow()
    look = provider_states.read_all

    def meanwhile(channel):
        states = look(channel)
        for _ in range(3):  # another thread reports while this one has read the table and not yet followed it
            breakers.report(permit(breakers), [Outcome.TRANSIENT])
        return states

    clock.now += FOLLOW_EVERY.total_seconds()
    with monkeypatch.context() as patched:
        patched.setattr(provider_states, "read_all", meanwhile)
        breakers.follow()
    assert refusal(breakers).obstacle is Obstacle.BREAKER


def test_failures_in_a_row_are_shown_before_they_open_it(process, clock):
    breakers = process()
    fail(breakers, times=2)
    clock.now += FOLLOW_EVERY.total_seconds()
    breakers.follow()
    row = ProviderState.objects.get(provider="smtp")
    assert (row.state, row.consecutive_failures, row.last_error) == ("closed", 2, "451 busy")
    breakers.report(permit(breakers), [Outcome.ACCEPTED])
    clock.now += FOLLOW_EVERY.total_seconds()
    breakers.follow()
    row.refresh_from_db()
    assert row.consecutive_failures == 0


def test_a_forced_end_comes_by_the_clock_even_when_the_table_is_not_looked_at(process, clock):
    breakers = process()
    breakers.follow()
    provider_states.force("smtp", "open", who="Olga", why="maintenance", lasts=timedelta(seconds=30))
    breakers.follow(at_once=True)
    assert timedelta(seconds=25) < refusal(breakers).wait <= timedelta(seconds=30)
    provider_states.force("smtp", "auto", who="Olga", why="done")
    clock.now += 31
    permit(breakers)


def test_a_force_without_an_end_is_asked_about_again_every_minute(process):
    breakers = process()
    breakers.follow()
    provider_states.force("smtp", "open", who="Olga", why="maintenance")
    breakers.follow(at_once=True)
    assert refusal(breakers).wait == timedelta(minutes=1)


# --- trials -----------------------------------------------------------------------------------------------------------
def due_for_trial(clock: Clock) -> None:
    clock.now += 31
    ProviderState.objects.update(retry_at=Now())


def test_a_trial_is_for_one_message(process, clock):
    breakers = process()
    fail(breakers)
    due_for_trial(clock)
    trial = permit(breakers)
    assert (trial.is_trial, trial.most) == (True, 1)
    assert refusal(breakers).obstacle is Obstacle.BREAKER


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ([Outcome.ACCEPTED], "closed"),
        ([Outcome.PERMANENT], "closed"),
        ([Outcome.TRANSIENT], "open"),
        ([Outcome.UNKNOWN], "open"),
        ([Outcome.MISCONFIGURED], "open"),
        # One device that took it is enough.
        ([Outcome.TRANSIENT, Outcome.ACCEPTED], "closed"),
        ([Outcome.THROTTLED, Outcome.TRANSIENT], "open"),
    ],
)
def test_a_trial_decides_for_all_processes(process, clock, outcomes, word):
    breakers = process()
    fail(breakers)
    due_for_trial(clock)
    breakers.report(permit(breakers), outcomes)
    breakers.tell()
    assert state().word == word
    assert (state().retry_in > timedelta(0)) == (word == "open")


@pytest.mark.parametrize("outcomes", [[], [Outcome.THROTTLED]])
def test_a_trial_that_says_nothing_is_open_to_the_next_who_comes(process, clock, outcomes):
    breakers = process()
    fail(breakers)
    due_for_trial(clock)
    breakers.report(permit(breakers), outcomes)
    breakers.tell()
    assert state().trial_for == timedelta(0)
    assert permit(process("consumer-2")).is_trial


# --- without the table ------------------------------------------------------------------------------------------------
@on_its_own
def test_without_the_table_a_process_goes_by_what_it_knows(process, clock, no_table):
    breakers = process()
    fail(breakers)
    assert refusal(breakers).wait == timedelta(seconds=30)
    clock.now += 30
    trial = permit(breakers)
    assert (trial.is_trial, trial.trial) == (True, None)
    breakers.report(trial, [Outcome.ACCEPTED])
    assert not permit(breakers).is_trial


@on_its_own
def test_what_the_table_could_not_take_it_gets_later(process, clock, no_table):
    breakers = process()
    fail(breakers)
    no_table.undo()
    assert list(provider_states.read_all("email")) == []
    clock.now += FOLLOW_EVERY.total_seconds()
    breakers.follow()
    assert state().is_open
    assert ProviderState.objects.get(provider="smtp").last_error == "451 busy"


@on_its_own
def test_what_the_table_will_never_take_does_not_keep_a_process_from_following(process, clock, monkeypatch):
    def refuse(*args, **kwargs):
        raise DataError("value too long")

    breakers = process()
    breakers.follow()
    with monkeypatch.context() as patched:
        patched.setattr(provider_states, "note_pause", refuse)
        breakers.report(permit(breakers), [Outcome.THROTTLED], wait=timedelta(hours=1))
        breakers.tell()
    provider_states.force("smtp", "open", who="Olga", why="maintenance")
    clock.now += FOLLOW_EVERY.total_seconds()
    assert refusal(breakers).obstacle is Obstacle.BREAKER


# --- what works -------------------------------------------------------------------------------------------------------
def test_a_provider_that_only_waits_for_its_trial_does_not_count_as_working(process, clock):
    breakers = process()
    assert breakers.works("smtp")
    fail(breakers)
    assert not breakers.works("smtp")
    due_for_trial(clock)
    assert breakers.not_now("smtp") is None
    assert not breakers.works("smtp")


def test_a_pause_keeps_from_asking_and_is_looked_at_again_after_minutes(process):
    breakers = process()
    breakers.report(permit(breakers), [Outcome.THROTTLED], wait=timedelta(hours=3))
    answer = refusal(breakers)
    assert (answer.obstacle, answer.wait) == (Obstacle.PAUSE, timedelta(minutes=5))
    breakers.tell()
    assert state().paused_for > timedelta(hours=2)
    assert not state().is_open


def test_the_rate_of_a_provider_bounds_what_it_may_be_handed(process):
    breakers = process(rules=DeliveryRules(providers={"smtp": {"rate": 4.0}}))
    assert permit(breakers).most == 4
    assert refusal(breakers).obstacle is Obstacle.RATE
    breakers.charge("smtp", -2)
    assert permit(breakers).most == 2


# --- one rate for the installation ------------------------------------------------------------------------------------
def paced(clock, sharers, **how) -> Breakers:
    rules = DeliveryRules(default=Rules(rate=10))
    return Breakers("email", ["smtp"], rules=rules, holder="consumer-1", sharers=sharers, clock=clock, **how)


def most(breakers: Breakers) -> int:
    given = breakers.ask("smtp", wanted=100)
    return given.most if isinstance(given, Permit) else 0


def test_processes_share_a_rate_as_many_as_there_are(clock):
    alive = 2
    breakers = paced(clock, lambda: alive)
    assert most(breakers) == 5
    alive = 5
    clock.now += FOLLOW_EVERY.total_seconds()
    assert most(breakers) == 2
    alive = 0  # not yet in the list itself
    clock.now += FOLLOW_EVERY.total_seconds()
    most(breakers)
    clock.now += 1
    assert most(breakers) == 10


def test_without_a_rate_nobody_is_counted(clock):
    def nobody() -> int:
        raise AssertionError

    breakers = Breakers("email", ["smtp"], rules=RULES, holder="consumer-1", sharers=nobody, clock=clock)
    assert most(breakers) == 100


def test_a_process_that_starts_slowly_waits_until_the_others_have_counted_it(clock):
    breakers = paced(clock, lambda: 2, starts_slowly=True)
    assert most(breakers) == 0
    clock.now += NOTICED_WITHIN.total_seconds()
    assert most(breakers) == 5
