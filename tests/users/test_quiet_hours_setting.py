"""Setting and clearing silence; the rule itself is in test_quiet_hours.py."""

from datetime import UTC, datetime, time

import pytest

from tests.factories import UserFactory
from users.models import ChangedWishes, QuietHours
from users.quiet_hours_setting import clear_quiet_hours, set_quiet_hours, silence_now

pytestmark = pytest.mark.django_db

NIGHT = {"start": time(22), "end": time(7)}


@pytest.fixture
def ann():
    return UserFactory(timezone="Europe/Vienna")


def noted():
    return set(ChangedWishes.objects.values_list("user_id", flat=True))


def test_setting_them_anew_replaces_them(ann):
    set_quiet_hours(user=ann, start=time(12), end=time(14), timezone="Asia/Tokyo", days=[5, 0], channels=["push"])
    set_quiet_hours(user=ann, **NIGHT)

    hours = QuietHours.objects.get()
    assert (hours.start, hours.end, hours.timezone, hours.days, hours.channels) == (time(22), time(7), "", [], [])


def test_what_waits_is_decided_again(ann):
    set_quiet_hours(user=ann, **NIGHT)

    assert noted() == {ann.pk}


def test_clearing_is_repeatable(ann):
    set_quiet_hours(user=ann, **NIGHT)
    clear_quiet_hours(user=ann)
    ChangedWishes.objects.all().delete()

    clear_quiet_hours(user=ann)

    assert not QuietHours.objects.exists()
    assert noted() == set()


def test_another_zone_is_another_silence(ann):
    ann.refresh_from_db()
    ann.name = "Ann Lee"
    ann.save()
    assert noted() == set()

    ann.timezone = "Asia/Tokyo"
    ann.save()

    assert noted() == {ann.pk}


def test_is_it_quiet_now(ann):
    hours = set_quiet_hours(user=ann, **NIGHT, channels=["push"])
    at_night = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)

    assert silence_now(hours, ann.timezone, now=at_night) == datetime(2026, 11, 24, 6, tzinfo=UTC)
    hours.is_enabled = False
    assert silence_now(hours, ann.timezone, now=at_night) is None
