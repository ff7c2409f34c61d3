"""A person in the shared cache: found by the next request, forgotten when anything about them changes."""

from datetime import time

import pytest

from tests.factories import DeviceFactory, UserFactory
from users import recipients
from users.kept_people import name_of
from users.models import Device, Preference, QuietHours, User
from users.recipients import load_recipients, read_recipient
from users.shared_cache import look_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(own_redis):
    person = UserFactory(external_id="user-123", locale="de-AT", timezone="Europe/Vienna")
    Preference.objects.create(user=person, channel="email", category_id="marketing", is_enabled=False)
    QuietHours.objects.create(
        user=person, start=time(22), end=time(7, 30), days=[0, 6], channels=["email"], timezone="Europe/Rome"
    )
    DeviceFactory(user=person)
    return person


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Around what is committed."""
    return django_capture_on_commit_callbacks


def find_recipient(user_id, *, channel):
    return recipients.find_recipient(user_id, channel=channel, slot=look_up(name_of(user_id, channel)))


@pytest.mark.parametrize("channel", ["email", "push"])
def test_the_second_time_the_database_is_not_asked(ann, channel, django_assert_num_queries):
    first = find_recipient("user-123", channel=channel)
    with django_assert_num_queries(0):
        second = find_recipient("user-123", channel=channel)

    assert first == second == read_recipient("user-123", channel=channel)


def test_somebody_without_anything_comes_back_as_they_are(own_redis):
    UserFactory(external_id="plain")

    assert find_recipient("plain", channel="push") == find_recipient("plain", channel="push")


def test_delivery_asks_the_database_all_the_same(ann, django_assert_num_queries):
    find_recipient("user-123", channel="email")
    with django_assert_num_queries(1):
        load_recipients([ann.pk], channel="email")


def test_our_own_id_is_known_too_but_not_in_every_spelling(ann, django_assert_num_queries):
    own = str(ann.pk)
    find_recipient(own, channel="email")
    with django_assert_num_queries(0):
        find_recipient(own, channel="email")
    find_recipient(own.upper(), channel="email")
    with django_assert_num_queries(2):
        find_recipient(own.upper(), channel="email")


def test_nobody_is_not_remembered(own_redis):
    assert find_recipient("later", channel="email") is None
    UserFactory(external_id="later")
    assert find_recipient("later", channel="email") is not None


CHANGES = {
    "name": lambda ann: setattr(ann, "name", "Anne") or ann.save(),
    "erased": lambda ann: User.objects.get(pk=ann.pk).delete(),
    "opt-out": lambda ann: Preference.objects.create(user=ann, channel="email", is_enabled=False),
    "opt-in": lambda ann: ann.preferences.get().delete(),
    "quiet hours": lambda ann: QuietHours.objects.get(user=ann).delete(),
    "device": lambda ann: DeviceFactory(user=ann),
    "device lost": lambda ann: Device.objects.get(user=ann).delete(),
    "another id": lambda ann: setattr(ann, "external_id", "user-124") or ann.save(),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("channel", ["email", "push"])
def test_a_change_is_seen_at_once(ann, what, channel, committed):
    names = ["user-123", str(ann.pk)]
    for name in names:
        find_recipient(name, channel=channel)
    with committed(execute=True):
        CHANGES[what](User.objects.get(pk=ann.pk))

    for name in names:
        assert find_recipient(name, channel=channel) == read_recipient(name, channel=channel)


def test_a_newcomer_who_takes_over_a_name_is_found_under_it(ann, committed):
    own = str(ann.pk)
    assert find_recipient(own, channel="email").id == ann.pk
    with committed(execute=True):
        newcomer = UserFactory(external_id=own)

    assert find_recipient(own, channel="email").id == newcomer.pk


def test_redis_may_be_killed_and_flushed_in_between(ann, own_redis):
    truth = find_recipient("user-123", channel="email")
    own_redis.raw.flushall()
    assert find_recipient("user-123", channel="email") == truth
    own_redis.kill()
    assert find_recipient("user-123", channel="email") == truth
    ann.name = "Anne"
    ann.save()
    assert find_recipient("user-123", channel="email").name == "Anne"
