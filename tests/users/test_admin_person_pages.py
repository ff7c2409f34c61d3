"""The tabs of a person's page: switches, quiet hours, devices, and the address blocked by hand."""

import pytest

from tests.admin_scene import MOST_QUERIES, form_values, owner, page, queries_of, signed_in, staff
from tests.factories import DeviceFactory, UserFactory
from users.models import AuditEntry, ChangedWishes, ConsentEvent, Preference, QuietHours, Suppression
from users.suppressions import suppress_address

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def ann():
    return UserFactory(name="Ann", email="ann@example.com")


def tab(person, name):
    return f"/admin/users/user/{person.pk}/{name}/"


def save(client, person, name, **changes):
    address = tab(person, name)
    changes = {key.replace("__", "."): value for key, value in changes.items()}
    return client.post(address, form_values(page(client, address)) | changes, follow=True).content.decode()


@pytest.mark.parametrize("name", ["preferences", "quiet_hours", "devices", "change", "timeline"])
def test_every_tab_names_the_others_and_asks_little_of_the_database(client, ann, name):
    Preference.objects.create(user=ann, channel="email")
    DeviceFactory.create_batch(3, user=ann)
    suppress_address(address=ann.email, reason=Suppression.Reason.HARD_BOUNCE)

    text = page(client, tab(ann, name))

    for other in ("preferences", "quiet_hours", "devices", "change", "timeline"):
        assert f'href="{tab(ann, other)}"' in text
    assert "Nothing is sent to a••@example.com" in text
    assert "/lift/" in text
    assert len(queries_of(client, tab(ann, name))) <= MOST_QUERIES


# --- preferences ------------------------------------------------------------------------------------------------------
def test_a_switch_set_by_staff_stands_in_the_ledger_and_on_the_page(client, ann):
    text = save(client, ann, "preferences", marketing__email="off")

    (line,) = ConsentEvent.objects.filter(user=ann)
    assert (line.by, line.who, line.source, line.category_code, line.became) == (
        "staff",
        "Olga",
        "admin",
        "marketing",
        False,
    )
    assert not Preference.objects.get().is_enabled
    assert ChangedWishes.objects.filter(user=ann).exists()
    assert "changed by Olga" in text


def test_saving_the_switches_as_they_are_changes_nothing(client, ann):
    Preference.objects.create(user=ann, channel="email", category_id="updates", is_enabled=False)

    assert "Nothing was changed." in save(client, ann, "preferences")

    assert Preference.objects.count() == 1
    assert not ConsentEvent.objects.exists()


def test_a_switch_goes_back_to_what_the_channel_says(client, ann):
    Preference.objects.create(user=ann, channel="email", category_id="updates", is_enabled=False)

    save(client, ann, "preferences", updates__email="follow")

    assert not Preference.objects.exists()


def test_a_mandatory_category_has_no_switch_and_stays_on(client, ann):
    assert "Always on" in save(client, ann, "preferences", security__email="off")
    assert not Preference.objects.exists()


def test_whoever_was_slower_is_told_and_overwrites_nothing(client, ann):
    stale = form_values(page(client, tab(ann, "preferences")))
    save(client, ann, "preferences", marketing__email="off")

    answer = client.post(tab(ann, "preferences"), stale | {"marketing.push": "off"}, follow=True)

    assert "Look again; nothing was saved." in answer.content.decode()
    assert [(each.channel, each.is_enabled) for each in Preference.objects.all()] == [("email", False)]


def test_who_may_only_look_saves_no_switches(ann):
    looker = signed_in(staff("users.view_user"))

    assert "disabled" in page(looker, tab(ann, "preferences"))
    for name in ("preferences", "quiet_hours"):
        assert looker.post(tab(ann, name), {"marketing.email": "off", "clear": "yes"}).status_code == 403
    assert not Preference.objects.exists()


# --- quiet hours ------------------------------------------------------------------------------------------------------
def test_quiet_hours_set_by_staff_are_decided_on_again(client, ann):
    text = save(client, ann, "quiet_hours", is_enabled="on", start="22:00", end="07:00", days=["0", "6"])

    hours = QuietHours.objects.get()
    assert (hours.user, hours.days) == (ann, [0, 6])
    assert ChangedWishes.objects.filter(user=ann).exists()
    assert "Silence from 22:00 to 07:00" in text


def test_quiet_hours_without_an_end_are_refused_by_name(client, ann):
    assert "This field is required" in save(client, ann, "quiet_hours", start="22:00", end="")
    assert "cannot" in save(client, ann, "quiet_hours", start="22:00", end="22:00")
    assert not QuietHours.objects.exists()


def test_quiet_hours_are_taken_away(client, ann):
    QuietHours.objects.create(user=ann, start="22:00", end="07:00")

    assert "There are no quiet hours any more." in save(client, ann, "quiet_hours", clear="yes")

    assert not QuietHours.objects.exists()


# --- devices ----------------------------------------------------------------------------------------------------------
def test_devices_are_shown_by_their_tail_and_switched_off_with_a_reason(client, ann):
    device = DeviceFactory(user=ann, token="a-very-long-device-token-1234")
    text = page(client, tab(ann, "devices"))
    assert "…1234" in text
    assert device.token not in text

    address = f"{tab(ann, 'devices')}{device.pk}/deactivate/"
    assert client.post(address, {"reason": ""}).status_code == 200
    assert client.post(address, {"reason": "She lost it"}).status_code == 302

    device.refresh_from_db()
    assert (device.is_active, device.inactive_reason) == (False, "switched_off")
    line = AuditEntry.objects.get(what="device.deactivated")
    assert (line.who, line.why, line.about_id) == ("Olga", "She lost it", str(ann.pk))
    assert "It was switched off." in page(client, tab(ann, "devices"))


def test_a_device_of_somebody_else_is_not_switched_off_here(client, ann):
    other = DeviceFactory()

    client.post(f"{tab(ann, 'devices')}{other.pk}/deactivate/", {"reason": "x"})

    other.refresh_from_db()
    assert other.is_active


# --- the address ------------------------------------------------------------------------------------------------------
def test_an_address_is_blocked_by_hand_with_a_reason(client, ann):
    address = tab(ann, "block_address")
    assert "a••@example.com" in page(client, address)
    client.post(address, {"reason": ""})
    assert not Suppression.objects.exists()

    client.post(address, {"reason": "She asked us by phone"})

    row = Suppression.objects.in_force().get()
    assert (row.reason, row.scope, row.added_by, row.evidence) == (
        "manual",
        "everything",
        "Olga",
        "She asked us by phone",
    )
    assert AuditEntry.objects.get(what="suppression.added").why == "She asked us by phone"
    assert "It is blocked already." in client.post(address, {"reason": "again"}, follow=True).content.decode()


def test_without_an_address_there_is_nothing_to_block(client):
    person = UserFactory(email=None, external_id="no-mail")

    answer = client.post(tab(person, "block_address"), {"reason": "x"}, follow=True)

    assert "There is no address to block" in answer.content.decode()
