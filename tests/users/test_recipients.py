"""People as delivery sees them, for a whole batch at once."""

from datetime import time
from uuid import UUID, uuid4

import pytest

from tests.factories import DeviceFactory, UserFactory
from users.models import Category, Preference, QuietHours
from users.quiet_hours import EVERY_DAY, QuietWindow
from users.recipients import CategoryRules, DeviceTarget, load_categories, load_recipients, read_recipient

pytestmark = pytest.mark.django_db


def loaded(person, channel="email"):
    return load_recipients([person.pk], channel=channel)[person.pk]


# --- a person ---------------------------------------------------------------------------------------------------------


def test_what_is_known_of_a_person():
    ann = UserFactory(external_id="user-123", email="ann@example.com", locale="de-AT", timezone="Europe/Vienna")
    recipient = loaded(ann)

    assert (recipient.id, recipient.public_id, recipient.name) == (ann.pk, "user-123", "Ann")
    assert (recipient.email, recipient.locale, recipient.timezone) == ("ann@example.com", "de-AT", "Europe/Vienna")
    assert recipient.is_active
    assert (recipient.devices, recipient.switches, recipient.quiet) == ((), {}, None)


def test_somebody_with_our_id_only_is_named_by_it():
    ann = UserFactory(external_id=None, email="ann@example.com", name="")
    recipient = loaded(ann)

    assert recipient.public_id == recipient.display_name == str(ann.pk)


def test_no_address_is_an_empty_one():
    assert loaded(UserFactory(email=None)).email == ""


def test_people_who_are_gone_are_missing():
    ann = UserFactory()

    assert load_recipients([ann.pk, uuid4()], channel="email").keys() == {ann.pk}
    assert load_recipients([], channel="email") == {}


# --- switches ---------------------------------------------------------------------------------------------------------


def test_switches_of_the_channel():
    ann = UserFactory()
    Preference.objects.create(user=ann, channel="email", is_enabled=False)
    Preference.objects.create(user=ann, channel="email", category_id="updates", is_enabled=True)
    Preference.objects.create(user=ann, channel="push", is_enabled=False)
    Preference.objects.create(user=UserFactory(), channel="email", category_id="marketing", is_enabled=False)

    assert loaded(ann).switches == {("email", None): False, ("email", "updates"): True}


@pytest.mark.parametrize(
    ("switches", "wanted"),
    [
        ({}, True),
        ({None: True}, True),
        ({None: False}, False),
        ({"updates": False}, False),
        ({None: False, "updates": True}, False),
        ({None: True, "updates": False}, False),
        ({"marketing": False}, True),
    ],
)
def test_what_they_want(switches, wanted):
    ann = UserFactory()
    for category, is_enabled in switches.items():
        Preference.objects.create(user=ann, channel="email", category_id=category, is_enabled=is_enabled)

    assert loaded(ann).wants("email", "updates") is wanted


# --- quiet hours ------------------------------------------------------------------------------------------------------


def quiet(**fields):
    ann = UserFactory(timezone="Europe/Vienna")
    QuietHours.objects.create(user=ann, start=time(22), end=time(7), **fields)
    return loaded(ann).quiet


def test_quiet_hours_are_in_the_persons_zone_every_day_for_every_channel():
    assert quiet() == QuietWindow(start=time(22), end=time(7), timezone="Europe/Vienna", days=EVERY_DAY)


def test_quiet_hours_may_have_their_own_zone_days_and_channels():
    assert quiet(timezone="Asia/Tokyo", days=[5, 6], channels=["push"]) == QuietWindow(
        start=time(22), end=time(7), timezone="Asia/Tokyo", days=frozenset({5, 6}), channels=frozenset({"push"})
    )


def test_quiet_hours_that_are_switched_off_are_none():
    assert quiet(is_enabled=False) is None


# --- devices ----------------------------------------------------------------------------------------------------------


def test_active_devices_oldest_first():
    ann = UserFactory()
    phone = DeviceFactory(user=ann, name="Phone", token="token-phone")
    DeviceFactory(user=ann, is_active=False)
    DeviceFactory()
    tablet = DeviceFactory(user=ann, platform="ios", provider="onesignal")

    devices = loaded(ann, "push").devices

    assert [each.id for each in devices] == [phone.pk, tablet.pk]
    assert devices[0] == DeviceTarget(
        id=phone.pk, provider="fcm", kind="token", platform="android", token="token-phone", name="Phone"
    )


def test_devices_are_of_no_use_for_mail():
    ann = UserFactory()
    DeviceFactory(user=ann)

    assert loaded(ann, "email").devices == ()


# --- a batch ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["email", "push"])
@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_batch(count, channel, django_assert_max_num_queries):
    people = [DeviceFactory().user for _ in range(count)]
    for person in people:
        Preference.objects.create(user=person, channel=channel, is_enabled=False)
        QuietHours.objects.create(user=person, start=time(22), end=time(7))

    with django_assert_max_num_queries(3):
        found = load_recipients([person.pk for person in people], channel=channel)
    assert len(found) == count
    assert all(each.quiet and each.switches and bool(each.devices) is (channel == "push") for each in found.values())


# --- the person a client names ----------------------------------------------------------------------------------------


def found(name):
    recipient = read_recipient(name, channel="email")
    return recipient and recipient.id


def test_by_the_clients_own_id_or_by_ours():
    ann = UserFactory(external_id="user-123")

    assert found("user-123") == found(str(ann.pk)) == found(str(ann.pk).upper()) == ann.pk


def test_the_clients_own_id_is_tried_first():
    ann = UserFactory()
    other = UserFactory(external_id=str(ann.pk))

    assert found(str(ann.pk)) == other.pk


@pytest.mark.parametrize("name", ["", "nobody", "USER-123", "user-12", str(UUID(int=7)), "ü", "%", "１"])
def test_anything_else_names_nobody(name):
    UserFactory(external_id="user-123")

    assert found(name) is None


def test_finding_somebody_costs_little(django_assert_max_num_queries):
    ann = DeviceFactory().user
    QuietHours.objects.create(user=ann, start=time(22), end=time(7))

    with django_assert_max_num_queries(3):
        assert read_recipient(ann.external_id, channel="push").devices


# --- categories -------------------------------------------------------------------------------------------------------


def test_the_categories_every_installation_begins_with():
    categories = load_categories()

    assert categories.keys() == {"security", "updates", "marketing"}
    assert categories["security"] == CategoryRules(
        code="security", name="Security", is_mandatory=True, is_marketing=False, ignores_quiet_hours=True
    )
    assert not categories["updates"].is_mandatory
    assert categories["marketing"].is_marketing


def test_further_categories_are_found_too():
    Category.objects.create(code="billing", name="Billing")

    assert load_categories()["billing"].name == "Billing"
