"""The table of changes is the one of docs/explanation/delivery.md, written here a second time, by hand."""

import pytest

from gateway import statuses
from gateway.models import Notification
from gateway.statuses import Actor, Status

RELAY, CONSUMER, SWEEPER = Actor.RELAY, Actor.CONSUMER, Actor.SWEEPER
CLIENT, OPERATOR, NEWS = Actor.CLIENT, Actor.OPERATOR, Actor.PROVIDER_NEWS

#: from, to: who alone may.
EXPECTED = {
    ("accepted", "queued"): {RELAY},
    ("queued", "accepted"): {SWEEPER, RELAY},  # the relay only what the broker has not taken
    ("accepted", "claimed"): {CONSUMER},
    ("queued", "claimed"): {CONSUMER},
    ("claimed", "claimed"): {CONSUMER},
    ("claimed", "accepted"): {CONSUMER, SWEEPER},
    ("claimed", "suppressed"): {CONSUMER},
    ("claimed", "failed"): {CONSUMER, SWEEPER},
    ("claimed", "sending"): {CONSUMER},
    ("sending", "sent"): {CONSUMER},
    ("sending", "accepted"): {CONSUMER},
    ("sending", "failed"): {CONSUMER},
    ("sending", "bounced"): {CONSUMER},
    ("sending", "unknown"): {CONSUMER, SWEEPER},
    ("unknown", "sent"): {CONSUMER, NEWS, OPERATOR},
    ("unknown", "accepted"): {SWEEPER},
    ("unknown", "failed"): {SWEEPER, OPERATOR},
    ("sent", "delivered"): {NEWS},
    ("sent", "bounced"): {NEWS},
    ("delivered", "bounced"): {NEWS},
    ("accepted", "cancelled"): {CLIENT, OPERATOR},
    ("queued", "cancelled"): {CLIENT, OPERATOR},
    ("claimed", "cancelled"): {CLIENT, OPERATOR},
    ("accepted", "expired"): {CONSUMER, SWEEPER},
    ("queued", "expired"): {CONSUMER, SWEEPER},
    ("claimed", "expired"): {CONSUMER, SWEEPER},
    ("failed", "accepted"): {OPERATOR},
}

MAY_FOLLOW = {
    "accepted": {"queued", "claimed", "cancelled", "expired"},
    "queued": {"accepted", "claimed", "cancelled", "expired"},
    "claimed": {"claimed", "sending", "accepted", "suppressed", "expired", "failed", "cancelled"},
    "sending": {"sent", "accepted", "failed", "bounced", "unknown"},
    "unknown": {"sent", "accepted", "failed"},
    "sent": {"delivered", "bounced"},
    "delivered": {"bounced"},
    "bounced": set(),
    "suppressed": set(),
    "cancelled": set(),
    "expired": set(),
    "failed": {"accepted"},
}

#: What a consumer writes about a notification it holds, always under its claim token.
UNDER_TOKEN = {
    "release",
    "postpone",
    "suppress",
    "give_up_early",
    "hand_over",
    "send",
    "retry",
    "give_up",
    "refuse_recipient",
    "doubt",
}


def test_the_table_has_exactly_the_changes_of_the_design_each_by_those_who_may_make_it():
    found = {}
    for change in statuses.CHANGES:
        for source in change.sources:
            found.setdefault((source.value, change.target.value), set()).update(change.actors)
    assert found == EXPECTED


@pytest.mark.parametrize("status", Status)
def test_a_status_may_be_followed_by_those_of_the_design_only(status):
    assert statuses.may_follow(status) == MAY_FOLLOW[status.value]


def test_a_holder_writes_under_its_token_and_others_do_not():
    assert {change.name for change in statuses.CHANGES if change.needs_token} == UNDER_TOKEN


def test_only_a_consumer_holds_a_token():
    assert all(change.actors == {CONSUMER} for change in statuses.CHANGES if change.needs_token)


def test_every_status_can_be_reached():
    reached = set(statuses.FIRST)
    while more := {follower for status in reached for follower in statuses.may_follow(status)} - reached:
        reached |= more
    assert reached == set(Status)


def test_a_notification_begins_accepted_or_suppressed():
    assert {Status.ACCEPTED, Status.SUPPRESSED} == statuses.FIRST


def test_from_a_final_status_only_a_late_bounce_or_a_replay_leads_away():
    ways_out = {change for change in statuses.CHANGES if change.sources & statuses.FINAL}
    assert ways_out == {statuses.BOUNCE, statuses.REPLAY}
    assert {status for status in Status if not MAY_FOLLOW[status]} < statuses.FINAL


def test_from_every_status_that_is_not_final_an_end_can_be_reached():
    ending = set(statuses.FINAL)
    while more := {status for status in Status if statuses.may_follow(status) & ending} - ending:
        ending |= more
    assert ending == set(Status)


def test_nothing_that_was_handed_over_is_claimed_cancelled_or_expired():
    for change in (statuses.CLAIM, statuses.STEAL, statuses.CANCEL, statuses.EXPIRE):
        assert change.sources <= statuses.NOT_HANDED_OVER


def test_each_change_is_in_the_table_under_its_own_name():
    assert len({change.name for change in statuses.CHANGES}) == len(statuses.CHANGES)
    assert all(getattr(statuses, change.name.upper()) is change for change in statuses.CHANGES)


def test_the_public_sees_preparing_and_doubt_as_sending():
    shown = {status: status.value for status in Status} | {"claimed": "sending", "unknown": "sending"}
    assert shown == statuses.PUBLIC


def test_the_column_has_room_for_every_status():
    assert max(map(len, Status.values)) <= Notification._meta.get_field("status").max_length
