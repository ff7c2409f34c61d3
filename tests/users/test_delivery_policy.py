"""A person's wishes applied to one message: pure, so no database."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest

from users.delivery_policy import SPREAD, Allow, DeferUntil, Suppress, decide
from users.quiet_hours import QuietWindow
from users.recipients import CategoryRules, DeviceTarget, Recipient, SuppressedAddress

NIGHT = QuietWindow(start=time(22), end=time(7), timezone="Europe/Vienna")
AT_NIGHT = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # 23:30 in Vienna
AT_NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)
PHONE = DeviceTarget(id=uuid4(), provider="fcm", kind="token", platform="android", token="abc", name="Phone")


def ann(**changes):
    known = {
        "id": uuid4(),
        "public_id": "user-123",
        "name": "Ann",
        "email": "ann@example.com",
        "locale": "en",
        "timezone": "Europe/Vienna",
        "is_active": True,
        "devices": (PHONE,),
    }
    return Recipient(**known | changes)


def category(code="updates", **changes):
    rules = {"name": code.title(), "is_mandatory": False, "is_marketing": False, "ignores_quiet_hours": False}
    return CategoryRules(code=code, **rules | changes)


SECURITY = category("security", is_mandatory=True, ignores_quiet_hours=True)


def decided(person, *, channel="email", kind=None, is_critical=False, now=AT_NOON):
    return decide(person, channel=channel, category=kind or category(), is_critical=is_critical, now=now)


@pytest.mark.parametrize("channel", ["email", "push"])
def test_nothing_speaks_against_it(channel):
    assert decided(ann(), channel=channel) == Allow()


# --- where to ---------------------------------------------------------------------------------------------------------


def test_an_inactive_person_receives_nothing():
    assert decided(ann(is_active=False), kind=SECURITY, is_critical=True) == Suppress("user_inactive", {"name": "Ann"})


def test_no_mail_without_an_address():
    assert decided(ann(email=""), kind=SECURITY) == Suppress("no_address", {"name": "Ann"})
    assert decided(ann(email=""), channel="push") == Allow()


def test_no_push_without_a_device():
    assert decided(ann(devices=()), channel="push", kind=SECURITY) == Suppress("no_device", {"name": "Ann"})
    assert decided(ann(devices=())) == Allow()


def test_somebody_without_a_name_is_called_by_their_id():
    assert decided(ann(name="", is_active=False)) == Suppress("user_inactive", {"name": "user-123"})


# --- what they want ---------------------------------------------------------------------------------------------------

OPT_OUT = Suppress("opt_out", {"name": "Ann", "category": "Updates", "channel": "email"})


@pytest.mark.parametrize(
    ("switches", "outcome"),
    [
        ({}, Allow()),
        ({("email", None): True, ("email", "updates"): True}, Allow()),
        ({("email", None): False}, OPT_OUT),
        ({("email", "updates"): False}, OPT_OUT),
        ({("email", None): False, ("email", "updates"): True}, OPT_OUT),  # the channel wins
        ({("email", "marketing"): False}, Allow()),
        ({("push", None): False, ("push", "updates"): False}, Allow()),
    ],
)
def test_a_switch_that_is_off_holds_it_back(switches, outcome):
    assert decided(ann(switches=switches)) == outcome


def test_a_mandatory_category_ignores_switches():
    off = {("email", None): False, ("email", "security"): False}

    assert decided(ann(switches=off), kind=SECURITY) == Allow()


def test_even_the_most_urgent_message_respects_switches():
    assert decided(ann(switches={("email", None): False}), is_critical=True) == OPT_OUT


# --- when they want it ------------------------------------------------------------------------------------------------


def test_in_quiet_hours_it_waits_for_their_end():
    outcome = decided(ann(quiet=NIGHT), now=AT_NIGHT)

    assert outcome == DeferUntil(
        datetime(2026, 11, 24, 6, tzinfo=UTC),
        "quiet_hours",
        {"name": "Ann", "channel": "email", "start": "22:00", "end": "07:00", "tz": "Europe/Vienna"},
        SPREAD,
    )


def test_outside_them_it_goes_out():
    assert decided(ann(quiet=NIGHT), now=AT_NOON) == Allow()


def test_the_most_urgent_message_does_not_wait():
    assert decided(ann(quiet=NIGHT), now=AT_NIGHT, is_critical=True) == Allow()


def test_a_category_may_ignore_quiet_hours():
    assert decided(ann(quiet=NIGHT), now=AT_NIGHT, kind=SECURITY) == Allow()
    assert isinstance(decided(ann(quiet=NIGHT), now=AT_NIGHT, kind=category(is_mandatory=True)), DeferUntil)


def test_what_nobody_wants_is_not_kept_until_the_morning():
    assert decided(ann(quiet=NIGHT, switches={("email", None): False}), now=AT_NIGHT) == OPT_OUT


def test_nothing_is_spread_into_the_next_silence():
    # All day but one minute: half of it might be over when the message is taken up.
    outcome = decided(ann(quiet=QuietWindow(start=time(0), end=time(23, 59), timezone="UTC")), now=AT_NIGHT)

    assert isinstance(outcome, DeferUntil)
    assert outcome.spread == timedelta(0)


# --- blocked addresses ------------------------------------------------------------------------------------------------

BLOCKED = SuppressedAddress(reason="hard_bounce", scope="everything", since="2026-11-20")


@pytest.mark.parametrize("kind", [category(), SECURITY])
def test_a_blocked_address_gets_nothing_not_even_what_is_mandatory(kind):
    outcome = decided(ann(suppressed=BLOCKED), kind=kind)

    assert outcome == Suppress("address_suppressed", {"name": "Ann", "date": "2026-11-20"})


def test_it_blocks_no_push():
    assert decided(ann(suppressed=BLOCKED), channel="push") == Allow()


def test_who_unsubscribed_from_advertising_gets_the_rest():
    no_advertising = ann(suppressed=SuppressedAddress(reason="unsubscribed", scope="marketing", since="2026-11-20"))

    assert decided(no_advertising) == Allow()
    assert isinstance(decided(no_advertising, kind=category(is_marketing=True)), Suppress)
