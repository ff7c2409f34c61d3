"""Failover: which provider is handed a notification, and what it costs when none may be asked."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from channels_email.channel import EmailChannel
from consumers import breakers as breakers_module
from consumers import delivery as delivery_module
from consumers.delivery import Delivery
from consumers.delivery_rules import DeliveryRules, Rules
from gateway import provider_states
from gateway.channel_contract import Outcome, SendResult, UnknownProvider
from gateway.models import BreakerTransition, Notification, NotificationEvent, ProviderState
from gateway.statuses import Status
from tests.consumers.engine import (
    MAX_ATTEMPTS,
    RULES,
    attempts_of,
    breakers_of,
    events_of,
    is_due,
    make_due,
    now_as,
    several,
    statuses_of,
)
from tests.fakes import ACCEPTED, BUSY, CUT_OFF, REFUSED, TOO_FAST, WRONG_KEY, ChannelWith, FakeProvider, away

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def follows_at_once(monkeypatch):
    """No test waits two seconds until a process looks at the table."""
    monkeypatch.setattr(breakers_module, "FOLLOW_EVERY", timedelta(0))


@pytest.fixture
def process(journals):
    """A consumer process of its own, with breakers of its own."""
    made = []

    def make(*providers: FakeProvider, rules: DeliveryRules = RULES, holder: str = "consumer-1") -> Delivery:
        channel = ChannelWith(EmailChannel(), *providers)
        breakers = breakers_of(channel, rules=rules, holder=holder)
        made.append(Delivery(channel, holder=holder, journal_folder=journals, rules=rules, breakers=breakers))
        return made[-1]

    yield make
    for each in made:
        each.close()


def first(*answers, **options) -> FakeProvider:
    return FakeProvider(*answers, name="first", **options)


def second(*answers, **options) -> FakeProvider:
    return FakeProvider(*answers, name="second", **options)


def deliver(delivery: Delivery, *notifications: Notification) -> int:
    make_due(*notifications)
    return delivery.deliver([each.pk for each in notifications])


def force_open(provider: str, **how) -> None:
    provider_states.introduce("email", ["first", "second"])
    provider_states.force(provider, "open", who="Olga", why="maintenance", **how)


def open_for(provider: str, pause: timedelta) -> None:
    provider_states.introduce("email", ["first", "second"])
    provider_states.note_opened("email", provider, pause=pause, failures=5, error="451 busy", who="consumer-9")


def may_be_tried_again(provider: str) -> None:
    """Its pause is over."""
    ProviderState.objects.filter(provider=provider).update(retry_at=Now())


# --- before the hand-over ---------------------------------------------------------------------------------------------
def test_the_first_in_order_is_asked_while_it_works(process):
    a, b = first(), second()
    notifications = several(3)
    assert deliver(process(a, b), *notifications) == 3
    assert (len(a.handed_over), b.connect_count) == (3, 0)


def test_when_the_first_cannot_be_reached_the_next_takes_over_in_the_same_claim(process):
    a, b = first(connects=[away()]), second()
    notifications = several(3)
    assert deliver(process(a, b), *notifications) == 3
    assert statuses_of(*notifications) == [Status.SENT] * 3
    assert {now_as(each).provider for each in notifications} == {"second"}
    assert {now_as(each).tries_used for each in notifications} == {0}


def test_when_nobody_can_be_reached_one_try_is_used_up(process):
    (notification,) = several(1)
    assert deliver(process(first(connects=[away("refused")]), second(connects=[away()])), notification) == 0
    row = now_as(notification)
    assert (row.status, row.reason, row.tries_used) == (Status.ACCEPTED, "provider_down", 1)
    assert row.reason_data["provider"] == "first"
    assert attempts_of(notification) == []


def test_a_provider_that_is_away_again_and_again_is_asked_no_more(process):
    a, b = first(connects=[away()] * 20), second()
    delivery = process(a, b)
    for notification in several(8):
        deliver(delivery, notification)
    assert a.connect_count == Rules().breaker_failures
    assert len(b.handed_over) == 8
    assert ProviderState.objects.get(provider="first").last_error == "Connection refused."


def test_the_preferred_provider_is_asked_again_once_it_works(process):
    a, b = first(connects=[away(outcome=Outcome.MISCONFIGURED)]), second()
    delivery = process(a, b)
    one, two, three = several(3)
    deliver(delivery, one)
    deliver(delivery, two)
    assert b.ids == [one.pk, two.pk]
    may_be_tried_again("first")
    deliver(delivery, three)
    assert a.ids == [three.pk]


def test_each_provider_keeps_its_connection(process):
    a, b = first(connects=[away(), None, away()]), second()
    delivery = process(a, b)
    for notification in several(3):
        deliver(delivery, notification)
    assert (len(a.handed_over), len(b.handed_over)) == (1, 2)
    assert (a.close_count, b.close_count) == (0, 0)
    delivery.close()
    assert (a.close_count, b.close_count) == (1, 1)


# --- after the hand-over ----------------------------------------------------------------------------------------------
def test_a_temporary_refusal_is_followed_by_the_next_provider_at_once(process):
    (notification,) = several(1)
    delivery = process(first(BUSY), second())
    delivery.deliver([notification.pk])
    assert is_due(notification)
    assert now_as(notification).tries_used == 1
    delivery.deliver([notification.pk])
    row = now_as(notification)
    assert (row.status, row.provider, row.tries_used) == (Status.SENT, "second", 1)


def test_when_all_have_refused_it_waits_and_begins_with_the_first_again(process):
    (notification,) = several(1)
    a, b = first(BUSY), second(BUSY)
    delivery = process(a, b)
    deliver(delivery, notification)
    deliver(delivery, notification)
    assert not is_due(notification)
    assert now_as(notification).tries_used == 2
    deliver(delivery, notification)
    assert (len(a.handed_over), len(b.handed_over)) == (2, 1)
    assert now_as(notification).status == Status.SENT


def test_without_another_provider_to_ask_a_refusal_is_waited_out(process):
    (notification,) = several(1)
    force_open("second")
    deliver(process(first(BUSY), second()), notification)
    row = now_as(notification)
    assert (row.reason, row.tries_used) == ("retrying", 1)
    assert not is_due(notification)


def test_tries_are_counted_over_all_providers(process):
    (notification,) = several(1)
    delivery = process(first(*[BUSY] * 9), second(*[BUSY] * 9))
    for _ in range(MAX_ATTEMPTS):
        deliver(delivery, notification)
    assert (now_as(notification).status, now_as(notification).reason) == (Status.FAILED, "attempts_exhausted")
    assert [each.provider for each in attempts_of(notification)] == ["first", "second", "first"]


def test_a_provider_may_allow_fewer_tries_than_the_others(process):
    (notification,) = several(1)
    rules = DeliveryRules(default=Rules(max_attempts=9), providers={"first": {"max_attempts": 1}})
    deliver(process(first(BUSY), rules=rules), notification)
    assert now_as(notification).status == Status.FAILED


def test_a_wrong_key_leads_to_the_next_provider_without_using_a_try_up(process):
    one, two = several(2)
    a, b = first(WRONG_KEY), second()
    delivery = process(a, b)
    delivery.deliver([one.pk])
    assert is_due(one)
    delivery.deliver([one.pk, two.pk])
    assert (now_as(one).status, now_as(one).tries_used) == (Status.SENT, 0)
    assert a.ids == [one.pk]
    assert set(b.ids) == {one.pk, two.pk}


def test_a_refusal_for_good_asks_nobody_else(process):
    (notification,) = several(1)
    b = second()
    deliver(process(first(REFUSED), b), notification)
    assert now_as(notification).status == Status.FAILED
    assert b.handed_over == []


def test_a_doubt_asks_nobody_else(process):
    (notification,) = several(1)
    b = second()
    delivery = process(first(CUT_OFF), b)
    deliver(delivery, notification)
    assert deliver(delivery, notification) == 0
    assert b.handed_over == []


def test_failures_after_the_hand_over_open_the_breaker(process):
    notifications = several(5)
    deliver(process(first(*[BUSY] * 5), second()), *notifications)
    assert ProviderState.objects.get(provider="first").state == "open"
    assert ProviderState.objects.get(provider="first").last_error == "Come back later."


def test_one_break_in_the_middle_of_many_counts_as_one_failure(process):
    deliver(process(first(RuntimeError("a fault in the adapter"))), *several(10))
    assert provider_states.read_all("email")[0].word == "closed"


# --- all open ---------------------------------------------------------------------------------------------------------
def test_an_open_breaker_uses_up_no_try_and_hands_nothing_over(process):
    (notification,) = several(1)
    open_for("first", timedelta(minutes=2))
    open_for("second", timedelta(seconds=20))
    a, b = first(), second()
    delivery = process(a, b)
    for _ in range(MAX_ATTEMPTS + 2):
        assert deliver(delivery, notification) == 0
    row = now_as(notification)
    assert (row.status, row.reason, row.waiting_for, row.tries_used) == (Status.ACCEPTED, "breaker_open", "breaker", 0)
    assert row.reason_data == {"provider": "second"}
    assert attempts_of(notification) == []
    assert (a.connect_count, b.connect_count) == (0, 0)


def test_what_waits_comes_back_when_the_soonest_may_be_tried(process):
    (notification,) = several(1)
    open_for("first", timedelta(minutes=2))
    open_for("second", timedelta(seconds=20))
    deliver(process(first(), second()), notification)
    row = Notification.objects.annotate(now=Now()).get(pk=notification.pk)
    assert timedelta(seconds=15) < row.available_at - row.now < timedelta(seconds=23)


def test_waiting_on_and_on_is_told_once(process):
    (notification,) = several(1)
    force_open("first")
    delivery = process(first())
    for _ in range(5):
        deliver(delivery, notification)
    assert events_of(notification).count("retrying") == 1
    assert NotificationEvent.objects.filter(notification=notification, reason="breaker_open").count() == 1


def test_what_cannot_leave_is_not_even_prepared(process, monkeypatch):
    (notification,) = several(1)
    force_open("first")
    monkeypatch.setattr(delivery_module, "prepare", lambda *given: pytest.fail("prepared"))
    assert deliver(process(first()), notification) == 0
    assert now_as(notification).reason == "breaker_open"


def test_a_trial_that_finds_nobody_uses_up_no_try(process):
    one, two = several(2)
    open_for("first", timedelta(seconds=30))
    may_be_tried_again("first")
    deliver(process(first(connects=[away()])), one, two)
    for notification in (one, two):
        row = now_as(notification)
        assert (row.reason, row.tries_used) == ("breaker_open", 0)
    assert provider_states.read_all("email")[0].retry_in > timedelta(seconds=20)


def test_the_trial_is_one_message_and_the_rest_follows_when_it_goes_well(process):
    notifications = several(5)
    open_for("first", timedelta(seconds=30))
    may_be_tried_again("first")
    a = first()
    assert deliver(process(a), *notifications) == 5
    assert a.batches == [1, 4]
    assert list(BreakerTransition.objects.values_list("change", flat=True)) == ["opened", "trial", "closed"]


def test_the_trial_is_one_message_and_the_rest_waits_when_it_fails(process):
    notifications = several(5)
    open_for("first", timedelta(seconds=30))
    may_be_tried_again("first")
    a = first(BUSY)
    assert deliver(process(a), *notifications) == 1
    assert a.batches == [1]
    assert sorted(now_as(each).reason for each in notifications) == ["breaker_open"] * 4 + ["retrying"]


# --- many processes ---------------------------------------------------------------------------------------------------
def test_what_one_process_finds_the_others_follow(process):
    a1, a2 = first(WRONG_KEY), first()
    one, two = several(2)
    deliver(process(a1, holder="consumer-1"), one)
    assert deliver(process(a2, holder="consumer-2"), two) == 0
    assert a2.connect_count == 0
    assert now_as(two).reason == "breaker_open"


def test_two_processes_make_one_trial_between_them(process):
    """The second is asked in the very moment in which the first makes its trial."""
    one, two, three = several(3)
    open_for("first", timedelta(seconds=30))
    theirs = first()
    other = process(theirs, holder="consumer-2")
    other.deliver([one.pk])
    may_be_tried_again("first")
    make_due(one)

    def meanwhile(message):
        assert other.deliver([one.pk]) == 0
        return ACCEPTED

    ours = first(meanwhile)
    assert process(ours, holder="consumer-1").deliver([two.pk]) == 1
    assert theirs.handed_over == []
    assert (now_as(one).reason, now_as(one).tries_used) == ("breaker_open", 0)
    assert BreakerTransition.objects.filter(change="trial").count() == 1
    # And once it went well the other asks again too.
    make_due(one)
    assert other.deliver([one.pk, three.pk]) == 2
    assert len(theirs.handed_over) == 2


def test_a_forced_provider_is_left_alone_and_asked_again_as_the_operator_says(process):
    a, b = first(), second()
    delivery = process(a, b)
    one, two, three = several(3)
    force_open("first")
    deliver(delivery, one)
    provider_states.force("first", "auto", who="Olga", why="done")
    deliver(delivery, two)
    force_open("first", lasts=timedelta(seconds=30))
    ProviderState.objects.filter(provider="first").update(forced_until=Now())
    deliver(delivery, three)
    assert (b.ids, a.ids) == ([one.pk], [two.pk, three.pk])


def test_a_provider_forced_closed_is_asked_whatever_it_answers(process):
    provider_states.introduce("email", ["first"])
    provider_states.force("first", "closed", who="Olga", why="it must go on")
    a = first(*[BUSY] * 20)
    delivery = process(a)
    for notification in several(8):
        deliver(delivery, notification)
    assert len(a.handed_over) == 8
    assert provider_states.read_all("email")[0].is_open is False


# --- pacing -----------------------------------------------------------------------------------------------------------
def test_a_provider_that_asks_for_a_pause_gets_it_from_every_process(process):
    one, two, three = several(3)
    slow = SendResult(outcome=Outcome.THROTTLED, retry_after=timedelta(seconds=90))
    delivery = process(first(slow))
    deliver(delivery, one)
    a = first()
    for each, notification in ((delivery, two), (process(a, holder="consumer-2"), three)):
        assert deliver(each, notification) == 0
        row = Notification.objects.annotate(now=Now()).get(pk=notification.pk)
        assert (row.reason, row.waiting_for, row.tries_used) == ("rate_limited", "pacing", 0)
        assert timedelta(seconds=80) < row.available_at - row.now < timedelta(seconds=93)
    assert a.connect_count == 0


def test_during_the_pause_of_one_provider_the_next_is_asked(process):
    one, two = several(2)
    a, b = first(TOO_FAST), second()
    delivery = process(a, b)
    delivery.deliver([one.pk])
    assert is_due(one)
    delivery.deliver([one.pk, two.pk])
    assert (len(a.handed_over), len(b.handed_over)) == (1, 2)


def test_a_pause_says_nothing_against_the_provider(process):
    deliver(process(first(*[TOO_FAST] * 20)), *several(10))
    assert provider_states.read_all("email")[0].word == "closed"


def test_more_than_the_rate_waits_for_its_turn_and_asks_nobody_else(process):
    notifications = several(9)
    rules = DeliveryRules(providers={"first": {"rate": 3.0}})
    a, b = first(), second()
    deliver(process(a, b, rules=rules), *notifications)
    # Three at once; a slow machine may have earned another one meanwhile.
    assert 3 <= len(a.handed_over) <= 6
    assert b.handed_over == []
    waiting = [now_as(each) for each in notifications if now_as(each).status != Status.SENT]
    assert waiting
    assert {(row.reason, row.waiting_for, row.tries_used) for row in waiting} == {("rate_limited", "pacing", 0)}
    assert len({row.available_at.replace(microsecond=0) for row in waiting}) > 1


def test_who_could_not_be_reached_has_used_up_nothing_of_its_rate(process):
    one, two = several(2)
    rules = DeliveryRules(providers={"first": {"rate": 0.0001}})
    a, b = first(connects=[away()]), second()
    delivery = process(a, b, rules=rules)
    deliver(delivery, one)
    deliver(delivery, two)
    assert (b.ids, a.ids) == ([one.pk], [two.pk])


# --- who works again rests --------------------------------------------------------------------------------------------
def works_again(provider: str, *, settle: timedelta) -> None:
    may_be_tried_again(provider)
    token = provider_states.take_trial("email", provider, who="consumer-9")
    assert provider_states.note_closed("email", provider, who="consumer-9", trial=token, settle=settle)


def test_traffic_stays_with_the_next_until_the_first_has_worked_for_a_while(process):
    one, two = first(), second()
    delivery = process(one, two)
    open_for("first", timedelta(minutes=1))
    works_again("first", settle=timedelta(minutes=1))
    assert deliver(delivery, *several(3)) == 3
    assert (len(one.ids), len(two.ids)) == (0, 3)
    ProviderState.objects.filter(provider="first").update(rests_until=Now())
    assert deliver(delivery, *several(2)) == 2
    assert (len(one.ids), len(two.ids)) == (2, 3)


def test_the_trial_is_made_all_the_same_and_its_success_begins_the_rest(process):
    one, two = first(), second()
    delivery = process(one, two)
    open_for("first", timedelta(minutes=1))
    may_be_tried_again("first")
    assert deliver(delivery, *several(4)) == 4
    assert (len(one.ids), len(two.ids)) == (1, 3)
    state = ProviderState.objects.get(provider="first")
    assert (state.state, state.rests_until is not None) == ("closed", True)


def test_who_rests_is_asked_when_nobody_else_takes_anything(process):
    one, two = first(), second()
    delivery = process(one, two)
    open_for("first", timedelta(minutes=1))
    works_again("first", settle=timedelta(minutes=1))
    force_open("second")
    assert deliver(delivery, *several(2)) == 2
    assert (len(one.ids), len(two.ids)) == (2, 0)


@pytest.mark.parametrize("wish", ["closed", "auto"])
def test_an_operator_ends_a_rest(process, wish):
    one, two = first(), second()
    delivery = process(one, two)
    open_for("first", timedelta(minutes=1))
    works_again("first", settle=timedelta(minutes=1))
    provider_states.force("first", wish, who="Olga", why="it is fine")
    assert deliver(delivery, *several(2)) == 2
    assert (len(one.ids), len(two.ids)) == (2, 0)


def test_a_rest_ends_when_the_breaker_opens_again():
    open_for("first", timedelta(minutes=1))
    works_again("first", settle=timedelta(minutes=1))
    open_for("first", timedelta(minutes=1))
    assert ProviderState.objects.get(provider="first").rests_until is None


# --- operators change who is asked ------------------------------------------------------------------------------------
def test_a_provider_put_into_the_order_while_a_consumer_runs_is_asked(process):
    one, two = first(), second()
    delivery = process(one)
    assert deliver(delivery, *several(1)) == 1
    delivery._channel.providers = {"second": two}
    assert deliver(delivery, *several(2)) == 2
    assert (len(one.ids), len(two.ids)) == (1, 2)
    assert one.close_count == 1


def test_what_waits_for_a_provider_that_was_switched_off_goes_to_the_others(process):
    one, two = first(BUSY), second()
    delivery = process(one)
    [waiting] = several(1)
    deliver(delivery, waiting)
    assert now_as(waiting).reason_data["provider"] == "first"
    delivery._channel.providers = {"second": two}
    assert deliver(delivery, waiting) == 1
    assert two.ids == [waiting.pk]


def test_a_provider_this_version_does_not_know_lets_messages_wait_and_uses_no_try_up(process, monkeypatch):
    delivery = process(first())

    def unknown(name):
        raise UnknownProvider(f"{name!r} is no e-mail provider.")

    monkeypatch.setattr(delivery._channel, "load_provider", unknown)
    [waiting] = several(1)
    assert deliver(delivery, waiting) == 0
    assert (now_as(waiting).status, now_as(waiting).tries_used) == (Status.ACCEPTED, 0)


def test_two_weights_make_two_groups_of_a_batch(process, settings):
    settings.EMAIL_PROVIDERS = ["first:1", "second:1"]
    one, two = first(), second()
    delivery = process(one, two)
    delivery._channel.carriers = EmailChannel().carriers
    sent = several(20)
    assert deliver(delivery, *sent) == 20
    assert len(one.batches) == len(two.batches) == 1
    assert len(one.ids) + len(two.ids) == 20
