"""Every possible run of the delivery protocol keeps its promises, and every weakened protocol is found out.

The model and what it leaves out are explained in `protocol_model.py`.
"""

from dataclasses import replace
from functools import cache

import pytest

from gateway import statuses
from gateway.statuses import Status
from tests.gateway.protocol_exploration import Explored, explore
from tests.gateway.protocol_state import TABLE, Rule, Run

RUNS = {
    "embedded, resend": Run(),
    "embedded, hold": Run(rule="hold"),
    "broker, resend": Run(with_broker=True, crashes=1, freezes=1),
    "broker, hold": Run(with_broker=True, rule="hold", freezes=1),
    "people and news, resend": Run(with_people=True, crashes=1, freezes=1),
    "a replay, resend": Run(with_people=True, replays=1, crashes=1, freezes=0),
    "a replay, hold": Run(with_people=True, replays=1, rule="hold", crashes=1, freezes=1),
    "poison, embedded": Run(is_poison=True),
    "poison, broker": Run(is_poison=True, with_broker=True),
}

TWICE_WITHOUT_TROUBLE = "It went out twice although nothing went wrong."
TWICE_UNTOLD = "It went out twice and nobody is told."
TWICE_ALTHOUGH_HELD = "It went out twice although it was to be held."
NEVER_SENT = "It is called sent and no provider ever took it."
STOPPED_BUT_SENT = "It is called stopped or failed, went out, and was never in doubt."
OVERTAKEN = "A consumer that was overtaken wrote a status."
LEFT_THE_END = "A notification left a final status."
JOURNAL_WASTED = "It is sent again although a journal on this host knows that it went out."
NEWS_WASTED = "It is in doubt although the provider told what came of it."
LOST = "It is lost: from here on no ordinary course of things ever ends it."

SMALL = Run(crashes=1, freezes=1)
BROKER = replace(SMALL, with_broker=True)
PEOPLE = replace(SMALL, with_people=True)


def changed(change, **fields):
    """The table with one change made otherwise."""
    return {**TABLE, change.name: replace(change, **fields)}


def also_from(change, *more):
    """The table with one change allowed from more statuses."""
    return changed(change, sources=change.sources | set(more))


def without(run, *rules):
    return replace(run, without=frozenset(rules))


def forgetting_token(run, *changes):
    """The run in which those changes leave the old token in the row."""
    return replace(run, leaves_token=frozenset(change.name for change in changes))


MUTANTS = {
    # The hand-over is a border.
    "what is being handed over is stolen when its lease is over": (
        replace(SMALL, table=also_from(statuses.STEAL, Status.SENDING)),
        TWICE_WITHOUT_TROUBLE,
    ),
    "a redelivered hint steals what is being handed over": (
        replace(without(BROKER, Rule.STEAL_AFTER_LEASE), table=also_from(statuses.STEAL, Status.SENDING)),
        TWICE_WITHOUT_TROUBLE,
    ),
    "what is being handed over is claimed": (
        replace(SMALL, table=also_from(statuses.CLAIM, Status.SENDING)),
        TWICE_WITHOUT_TROUBLE,
    ),
    "what was sent is claimed": (replace(SMALL, table=also_from(statuses.CLAIM, Status.SENT)), LEFT_THE_END),
    "the sweeper gives a stalled hand-over back": (
        replace(SMALL, table=also_from(statuses.RELEASE_STALLED, Status.SENDING)),
        TWICE_WITHOUT_TROUBLE,
    ),
    "the sweeper doubts as soon as the lease is over": (without(SMALL, Rule.GRACE), TWICE_WITHOUT_TROUBLE),
    "a second start doubts what the first is handing over": (without(SMALL, Rule.ONE_PLATFORM), TWICE_WITHOUT_TROUBLE),
    "what is being handed over expires": (
        replace(PEOPLE, table=also_from(statuses.EXPIRE, Status.SENDING)),
        STOPPED_BUT_SENT,
    ),
    "what is being handed over is cancelled": (
        replace(PEOPLE, table=also_from(statuses.CANCEL, Status.SENDING)),
        STOPPED_BUT_SENT,
    ),
    "the hand-over is marked after it": (without(SMALL, Rule.MARK_FIRST), TWICE_WITHOUT_TROUBLE),
    "the hand-over is marked after it, and never stolen": (
        replace(without(SMALL, Rule.MARK_FIRST), table=changed(statuses.STEAL, sources=frozenset())),
        TWICE_WITHOUT_TROUBLE,
    ),
    # Doubts are named.
    "a lost answer counts as a refusal": (
        replace(SMALL, table=changed(statuses.DOUBT, target=Status.ACCEPTED)),
        TWICE_UNTOLD,
    ),
    "a lost answer counts as success": (replace(SMALL, table=changed(statuses.DOUBT, target=Status.SENT)), NEVER_SENT),
    "a stalled hand-over counts as success": (
        replace(SMALL, table=changed(statuses.DOUBT_STALLED, target=Status.SENT)),
        NEVER_SENT,
    ),
    "a stalled hand-over counts as success, and journals are ignored": (
        replace(without(SMALL, Rule.JOURNAL), table=changed(statuses.DOUBT_STALLED, target=Status.SENT)),
        NEVER_SENT,
    ),
    "what is in doubt is claimed": (replace(SMALL, table=also_from(statuses.CLAIM, Status.UNKNOWN)), TWICE_UNTOLD),
    "what is sent again is not flagged": (without(SMALL, Rule.FLAG), TWICE_UNTOLD),
    "what must be held is sent again": (without(replace(SMALL, rule="hold"), Rule.HOLD), TWICE_ALTHOUGH_HELD),
    "journals are ignored": (without(SMALL, Rule.JOURNAL), JOURNAL_WASTED),
    "a late refusal proves a doubt sent": (without(SMALL, Rule.ONLY_YES_PROVES), NEVER_SENT),
    "early news is forgotten when the sweeper doubts": (without(PEOPLE, Rule.EARLY_NEWS), NEWS_WASTED),
    "what was sent is replayed": (
        replace(PEOPLE, replays=1, table=also_from(statuses.REPLAY, Status.SENT)),
        TWICE_UNTOLD,
    ),
    # Tokens fence.
    "whoever steals keeps the old token": (without(SMALL, Rule.NEW_TOKEN), OVERTAKEN),
    "a cancelled notification keeps token and lease and is handed over": (
        replace(
            without(forgetting_token(PEOPLE, statuses.CANCEL), Rule.HAND_OVER_UNDER_LEASE),
            table=also_from(statuses.HAND_OVER, Status.CANCELLED),
        ),
        OVERTAKEN,
    ),
    # Nothing is lost.
    "nobody gives back what the dead had claimed": (without(SMALL, Rule.RELEASE_STALLED), LOST),
    "nobody doubts what the dead had handed over": (without(SMALL, Rule.DOUBT_STALLED), LOST),
    "nobody settles doubts": (without(SMALL, Rule.SETTLE_UNKNOWN), LOST),
    "nobody misses a lost hint": (without(replace(BROKER, crashes=0, freezes=0), Rule.REOPEN), LOST),
    "hints are acknowledged first and there is no sweeper": (
        without(replace(BROKER, freezes=0), Rule.ACK_LAST, Rule.REOPEN, Rule.RELEASE_STALLED, Rule.DOUBT_STALLED),
        LOST,
    ),
    "nobody counts who dies over a notification": (without(RUNS["poison, embedded"], Rule.COUNT_CRASHES), LOST),
}

#: Each of these is a second fence behind another: alone it breaks no promise. They make trouble rarer.
HARMLESS = {
    "a hand-over after the lease, while nobody has stolen it": without(SMALL, Rule.HAND_OVER_UNDER_LEASE),
    "a redelivered hint steals a claim whose lease is not over": without(SMALL, Rule.STEAL_AFTER_LEASE),
    "a released notification keeps its old token until the next claim": forgetting_token(
        SMALL, statuses.RELEASE_STALLED
    ),
    "a notification sent again keeps its old token until the next claim": forgetting_token(
        SMALL, statuses.RESEND_UNKNOWN
    ),
}


@cache
def explored(name: str) -> Explored:
    return explore(RUNS[name])


@pytest.mark.parametrize("name", RUNS)
def test_no_possible_run_breaks_a_promise(name):
    result = explored(name)
    assert not result.broken, f"\n{result}"


def test_every_change_of_the_table_happens_in_some_run():
    made = frozenset().union(*(explored(name).made for name in RUNS))
    assert made == set(TABLE)


def test_the_runs_come_to_the_places_the_promises_speak_of():
    assert ("sent", 2) in explored("embedded, resend").seen
    assert ("sent", 3) not in explored("embedded, resend").seen
    assert {("unknown", 0), ("unknown", 1), ("failed", 1)} <= explored("embedded, hold").seen
    assert {("unknown", 0), ("unknown", 1), ("failed", 1)} <= explored("broker, hold").seen
    assert {("delivered", 2), ("bounced", 2)} <= explored("people and news, resend").seen
    assert ("sent", 2) in explored("a replay, hold").seen
    assert explored("poison, embedded").seen == {(status, 0) for status in ("accepted", "claimed", "failed")}


@pytest.mark.parametrize(("run", "promise"), MUTANTS.values(), ids=MUTANTS)
def test_a_weakened_protocol_is_found_out(run, promise):
    assert explore(run, only=promise).broken == promise


NEED_TOKEN = [change for change in statuses.CHANGES if change.needs_token]


@pytest.mark.parametrize("change", NEED_TOKEN, ids=lambda change: change.name)
def test_a_change_by_a_holder_that_does_not_ask_for_its_token_is_found_out(change):
    run = replace(SMALL, max_attempts=3, table=changed(change, needs_token=False))
    assert explore(run, only=OVERTAKEN).broken == OVERTAKEN


@pytest.mark.parametrize("run", HARMLESS.values(), ids=HARMLESS)
def test_a_second_fence_may_fall_while_the_first_stands(run):
    result = explore(run)
    assert not result.broken, f"\n{result}"


def test_a_broken_promise_is_told_with_the_way_to_it():
    run, _ = MUTANTS["what is sent again is not flagged"]
    story = str(explore(run))
    assert story.startswith(TWICE_UNTOLD)
    assert story.index("the answer is lost") < story.index("resend_unknown") < story.rindex("the provider takes it")
