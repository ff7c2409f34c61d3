"""Dead letters by the thousand: grouped, foretold, replayed at a rate, discarded."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway import dead_letters, replaying
from gateway.channel_contract import Outcome
from gateway.dead_letters import Choice
from gateway.models import Notification
from gateway.statuses import Status
from tests.factories import AttemptFactory, NotificationFactory, PublishedVersionFactory, UserFactory, ago, ahead
from users.channels import Channel
from users.models import Preference

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead():
    """Makes dead letters of one person and one template."""
    version, person = PublishedVersionFactory(template__code="welcome"), UserFactory()

    def make(count=1, *, outcome=None, **columns):
        given = {"status": Status.FAILED, "reason": "attempts_exhausted", "provider": "smtp"}
        shared = {"template_version": version, "user": person}
        rows = NotificationFactory.create_batch(count, **(shared | given | columns))
        for row in rows if outcome else ():
            AttemptFactory(notification=row, outcome=outcome, claim_token=row.pk)
        return rows

    return make


def replay(choice=dead_letters.REAL, **how):
    return dead_letters.replay_dead_letters(choice, who="Ann", why="again", **how)


def discard(choice=dead_letters.REAL, **how):
    return dead_letters.discard_dead_letters(choice, who="Ann", why="too old", **how)


def statuses():
    return Counter(Notification.objects.values_list("status", flat=True))


# --- groups -----------------------------------------------------------------------------------------------------------


def test_tests_are_in_no_group_unless_asked_for(dead):
    dead(1)
    dead(2, is_simulated=True)
    assert [dead_letters.grouped(Choice(is_simulated=each)).total for each in (False, True, None)] == [1, 2, 3]
    assert dead_letters.grouped().total == 1


def test_the_badge_and_the_alerts_are_led_to_what_is_no_test(on_postgresql):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    waiting = Notification.objects.dead_letters().real().order_by("-updated_at")
    plan = waiting.values_list("pk")[:100].explain()
    assert "dead_letters_apart" in plan
    assert "Sort" not in plan


def test_groups_are_reason_by_provider_by_template_the_biggest_first(dead):
    dead(1, reason="poison", provider="")
    early, late = dead(2)
    Notification.objects.filter(pk=early.pk).update(updated_at=ago(days=2))
    Notification.objects.filter(pk=late.pk).update(updated_at=ago(hours=1))
    NotificationFactory(status=Status.SENT)
    found = dead_letters.grouped()
    keys = [(each.reason, each.provider, each.template, each.count) for each in found.groups]
    assert keys == [("attempts_exhausted", "smtp", "welcome", 2), ("poison", "", "welcome", 1)]
    assert found.groups[0].last_at - found.groups[0].first_at == pytest.approx(
        timedelta(hours=47), abs=timedelta(minutes=1)
    )
    assert (found.total, found.is_capped) == (3, False)


def test_of_very_many_only_the_newest_are_looked_at(dead):
    dead(5)
    found = dead_letters.grouped(limit=3)
    assert (found.total, found.is_capped) == (3, True)


def test_grouping_is_one_query_however_many_there_are(dead):
    dead(3, reason="poison")
    dead(3)
    with CaptureQueriesContext(connection) as asked:
        dead_letters.grouped()
    assert len(asked) == 1


def test_without_dead_letters_there_is_no_group():
    found = dead_letters.grouped()
    assert (list(found.groups), found.total, found.is_capped) == ([], 0, False)


@pytest.mark.parametrize(
    "choice",
    [
        Choice(reason="poison"),
        Choice(provider=""),
        Choice(template="other"),
        Choice(channel="push"),
        Choice(since=timedelta(hours=1)),
        Choice(reason="poison", provider="", channel="push"),
    ],
    ids=str,
)
def test_each_filter_leaves_the_others_out(dead, choice):
    dead(2, updated_at=ago(days=1))
    other = PublishedVersionFactory(template__code="other")
    (wanted,) = dead(1, reason="poison", provider="", channel=Channel.PUSH, template_version=other)
    Notification.objects.exclude(pk=wanted.pk).update(updated_at=ago(days=1))
    assert list(choice.of(Notification.objects.dead_letters())) == [wanted]


def test_a_moment_serves_as_well_as_so_long_ago(dead):
    (row,) = dead(1)
    found = Choice(since=row.updated_at - timedelta(seconds=1)).of(Notification.objects.dead_letters())
    assert list(found) == [row]
    later = Choice(since=row.updated_at + timedelta(seconds=1))
    assert not later.of(Notification.objects.dead_letters()).exists()


# --- forecast ---------------------------------------------------------------------------------------------------------


def test_a_forecast_tells_what_a_replay_would_do_and_changes_nothing(dead):
    dead(3)
    dead(1, outcome=Outcome.ACCEPTED)
    dead(2, outcome=Outcome.UNKNOWN)
    told = dead_letters.foretell()
    assert (told.count, told.taken, told.doubtful, told.is_capped) == (3, 1, 2, False)
    assert dead_letters.foretell(include_doubtful=True).count == 5
    assert statuses() == {Status.FAILED: 6}


def test_a_forecast_names_those_that_would_end_again_at_once(dead):
    away = UserFactory(is_active=False)
    unwilling = UserFactory()
    Preference.objects.create(user=unwilling, channel=Channel.EMAIL, is_enabled=False)
    dead(1)
    dead(1, reason="template_error")
    dead(2, user=away)
    dead(1, user=unwilling)
    dead(1, channel=Channel.PUSH)
    told = dead_letters.foretell()
    assert told.count == 6
    assert told.refused == {"template_error": 1, "user_inactive": 2, "opt_out": 1, "no_device": 1}


def test_a_forecast_of_very_many_looks_at_the_first_ones(dead):
    dead(5)
    told = dead_letters.foretell(limit=3)
    assert (told.count, told.is_capped) == (3, True)
    assert dead_letters.foretell(most=2).count == 2


# --- replay -----------------------------------------------------------------------------------------------------------


def test_a_replay_revives_all_that_are_meant_in_batches(dead, monkeypatch):
    monkeypatch.setattr(dead_letters, "BATCH", 2)
    dead(5)
    dead(1, reason="poison")
    batches = []
    assert replay(Choice(reason="attempts_exhausted"), on_batch=batches.append) == 5
    assert batches == [2, 2, 1]
    assert statuses() == {Status.ACCEPTED: 5, Status.FAILED: 1}


def test_a_limit_takes_those_given_up_first(dead):
    rows = dead(4)
    for age, row in enumerate(rows):
        Notification.objects.filter(pk=row.pk).update(updated_at=ago(hours=age))
    assert replay(limit=3) == 3
    assert Notification.objects.get(status=Status.FAILED) == rows[0]


def test_what_is_accepted_or_doubtful_stays(dead):
    dead(1, outcome=Outcome.TRANSIENT)
    dead(1, outcome=Outcome.ACCEPTED)
    dead(1, outcome=Outcome.UNKNOWN)
    assert replay() == 1
    assert replay(include_doubtful=True) == 1
    assert replay(include_doubtful=True) == 0
    assert statuses() == {Status.ACCEPTED: 2, Status.FAILED: 1}


def test_a_second_replay_finds_nothing(dead):
    dead(3)
    assert (replay(), replay()) == (3, 0)


def test_one_that_somebody_else_took_meanwhile_is_not_counted(dead, monkeypatch):
    monkeypatch.setattr(dead_letters, "BATCH", 2)
    rows = dead(4)

    def interfere(count):
        if count == 2:
            waiting = [row.pk for row in rows if Notification.objects.get(pk=row.pk).status == Status.FAILED]
            replaying.replay(waiting[:1], who="Bob", why="faster")

    assert replay(on_batch=interfere) == 3


def test_what_fails_again_meanwhile_is_left_for_the_next_replay(dead, monkeypatch):
    monkeypatch.setattr(dead_letters, "BATCH", 1)
    dead(2)
    rounds = []

    def fail_again(count):
        rounds.append(count)
        later = ahead(seconds=5)
        held = {"claim_token": uuid4(), "lease_expires_at": later}
        Notification.objects.filter(status=Status.ACCEPTED).update(status=Status.CLAIMED, **held)
        Notification.objects.filter(status=Status.CLAIMED).update(status=Status.FAILED, updated_at=later)

    assert replay(on_batch=fail_again) == 2
    assert rounds == [1, 1]


def test_a_rate_spaces_the_batches(dead, monkeypatch):
    waits = []
    monkeypatch.setattr(dead_letters.time, "sleep", waits.append)
    monkeypatch.setattr(dead_letters.time, "monotonic", lambda: 100.0)
    dead(5)
    assert replay(per_second=2.0) == 5
    assert waits == [1.0, 1.0]  # two at once, a second apart; after the last part there is nothing to wait for


def test_a_slow_rate_means_one_at_a_time(dead, monkeypatch):
    waits = []
    monkeypatch.setattr(dead_letters.time, "sleep", waits.append)
    monkeypatch.setattr(dead_letters.time, "monotonic", lambda: 100.0)
    dead(2)
    replay(per_second=1 / 60, limit=2)
    assert waits == [60.0]


# --- discard ----------------------------------------------------------------------------------------------------------


def test_what_is_discarded_stays_failed_and_leaves_the_lists(dead):
    dead(2)
    (other,) = dead(1, reason="poison")
    assert discard(Choice(reason="attempts_exhausted")) == 2
    assert statuses() == {Status.FAILED: 3}
    assert list(Notification.objects.dead_letters()) == [other]
    assert dead_letters.grouped().total == 1
    gone = Notification.objects.filter(discarded_at__isnull=False).first()
    event = gone.events.get()
    assert (event.type, event.data) == ("discarded", {"who": "Ann", "why": "too old"})


def test_only_dead_letters_are_discarded_and_only_once(dead):
    (row,) = dead(1)
    sent = NotificationFactory(status=Status.SENT)
    assert dead_letters.discard([row.pk, sent.pk], who="Ann", why="old") == {row.pk}
    assert dead_letters.discard([row.pk], who="Bob", why="old") == set()
    assert row.events.count() == 1


def test_a_limit_holds_for_discarding_too(dead):
    dead(3)
    assert discard(limit=2) == 2
    assert Notification.objects.dead_letters().count() == 1
