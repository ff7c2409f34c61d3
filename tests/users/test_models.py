"""The promises the tables of people hold by themselves."""

from datetime import time

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tests.factories import ApiKeyFactory, DeviceFactory, UserFactory
from users.models import ApiKey, Category, Device, Preference, QuietHours, User, token_hash, validate_timezone

pytestmark = pytest.mark.django_db


def refused(make):
    """Whether the database refuses; nothing of the attempt remains."""
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        return True
    return False


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["ann@example.com", "Ann@example.com", "ANN@EXAMPLE.COM"])
def test_one_address_is_one_person_however_it_is_spelt(other):
    UserFactory(email="ann@example.com")

    assert refused(lambda: UserFactory(email=other))


def test_many_people_may_have_no_address():
    UserFactory(email=None)

    assert not refused(lambda: UserFactory(email=None))


def test_an_external_id_is_one_person():
    UserFactory(external_id="user-123")

    assert refused(lambda: UserFactory(external_id="user-123", email=None))
    assert not refused(lambda: UserFactory(external_id="User-123", email=None))


def test_many_people_may_have_no_external_id():
    UserFactory(external_id=None, email="a@example.com")

    assert not refused(lambda: UserFactory(external_id=None, email="b@example.com"))


def test_a_person_has_an_external_id_or_an_address():
    assert refused(lambda: UserFactory(external_id=None, email=None))


def test_ids_grow_with_time():
    first, second = UserFactory(), UserFactory()

    assert first.pk.version == 7
    assert first.pk < second.pk


@pytest.mark.parametrize("external_id", ["user-123", "a", "1", "A.b_c:d@e-f", "x" * 128, "mega", "me2"])
def test_external_ids_that_will_do(external_id):
    User(external_id=external_id).full_clean(exclude=["password"])


@pytest.mark.parametrize("external_id", ["me", "-a", ".a", "a b", "a/b", "a\n", "ä", "x" * 129, "a\x00"])
def test_external_ids_that_will_not(external_id):
    with pytest.raises(ValidationError) as caught:
        User(external_id=external_id).full_clean(exclude=["password"])
    assert "external_id" in caught.value.message_dict


@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires"])
def test_time_zones(zone):
    validate_timezone(zone)


@pytest.mark.parametrize("zone", ["", "Vienna", "Europe", "europe/vienna", "../etc/passwd", "UTC+1", "Europe/Vienna\n"])
def test_what_is_no_time_zone(zone):
    with pytest.raises(ValidationError):
        validate_timezone(zone)


def test_who_somebody_is_called():
    ann = UserFactory(external_id="user-123")
    nameless = UserFactory(external_id=None, name="", email="b@example.com")

    assert (str(ann), ann.public_id) == ("Ann", "user-123")
    assert str(nameless) == nameless.public_id == str(nameless.pk)
    assert str(UserFactory(external_id="user-9", name="")) == "user-9"


def test_accounts_are_found_whatever_the_case_of_their_address():
    ann = UserFactory(email="Ann@example.com")

    assert User.objects.get_by_natural_key("aNN@example.COM") == ann


def test_the_domain_of_an_address_is_kept_in_small_letters():
    person = User.objects.create_user(email=" Ann@EXAMPLE.com ", external_id="a")

    assert person.email == "Ann@example.com"
    assert User.objects.create_user(email="", external_id="b").email is None


def test_without_a_password_nobody_can_sign_in():
    assert not User.objects.create_user(email="ann@example.com").has_usable_password()
    assert User.objects.create_user(email="b@example.com", password="correct horse").check_password("correct horse")


def test_an_owner_may_do_everything():
    owner = User.objects.create_superuser("owner@example.com", "correct horse")

    assert (owner.is_staff, owner.is_superuser, owner.is_active) == (True, True, True)
    assert owner.has_perms([f"{each.content_type.app_label}.{each.codename}" for each in Permission.objects.all()[:5]])


# --- switches and quiet hours -----------------------------------------------------------------------------------------


def test_there_is_one_switch_for_a_channel():
    ann = UserFactory()
    Preference.objects.create(user=ann, channel="email")

    assert refused(lambda: Preference.objects.create(user=ann, channel="email", is_enabled=False))
    assert not refused(lambda: Preference.objects.create(user=ann, channel="push"))
    assert not refused(lambda: Preference.objects.create(user=UserFactory(), channel="email"))


def test_there_is_one_switch_for_a_category_on_a_channel():
    ann = UserFactory()
    Preference.objects.create(user=ann, channel="email", category_id="updates")

    assert refused(lambda: Preference.objects.create(user=ann, channel="email", category_id="updates"))
    assert not refused(lambda: Preference.objects.create(user=ann, channel="email", category_id="marketing"))
    assert not refused(lambda: Preference.objects.create(user=ann, channel="push", category_id="updates"))
    assert not refused(lambda: Preference.objects.create(user=ann, channel="email"))


def test_a_switch_says_what_it_is():
    ann = UserFactory()

    assert str(Preference(user=ann, channel="email", is_enabled=False)) == "email/all: off"
    assert str(Preference(user=ann, channel="push", category_id="updates")) == "push/updates: on"


def test_quiet_hours_have_a_length():
    ann = UserFactory()

    assert refused(lambda: QuietHours.objects.create(user=ann, start=time(22), end=time(22)))
    assert not refused(lambda: QuietHours.objects.create(user=ann, start=time(22), end=time(7)))


def test_a_person_has_quiet_hours_once():
    ann = UserFactory()
    QuietHours.objects.create(user=ann, start=time(22), end=time(7))

    assert refused(lambda: QuietHours.objects.create(user=ann, start=time(1), end=time(2)))


def test_the_categories_every_installation_begins_with():
    assert set(Category.objects.values_list("code", flat=True)) == {"security", "updates", "marketing"}


# --- devices ----------------------------------------------------------------------------------------------------------


def test_one_token_is_one_device():
    device = DeviceFactory(token="token-abc")

    assert device.token_hash == token_hash("fcm", "token-abc")
    assert refused(lambda: DeviceFactory(token="token-abc"))
    assert not refused(lambda: DeviceFactory(token="token-abc", provider="onesignal"))


def test_the_fingerprint_follows_the_token():
    device = DeviceFactory(token="token-abc")
    device.token = "token-new"
    device.save()

    assert Device.objects.get(token_hash=token_hash("fcm", "token-new")) == device


def test_the_fingerprint_follows_the_token_also_when_only_that_is_saved():
    device = DeviceFactory(token="token-abc")
    device.token = "token-new"
    device.save(update_fields=["token"])

    assert Device.objects.get(token_hash=token_hash("fcm", "token-new")) == device


def test_a_device_shows_no_more_of_its_token_than_its_end():
    assert str(DeviceFactory(name="", token="secret-part-x7Qk")) == "Android …x7Qk"
    assert str(DeviceFactory(name="Ann's phone")) == "Ann's phone"


# --- keys -------------------------------------------------------------------------------------------------------------


def test_one_key_is_one_row():
    key = ApiKeyFactory()

    assert refused(lambda: ApiKey.objects.create(name="copy", client="other", key_hash=key.key_hash))


def test_erasing_a_person_erases_what_was_theirs():
    ann = DeviceFactory().user
    Preference.objects.create(user=ann, channel="email")
    QuietHours.objects.create(user=ann, start=time(22), end=time(7))

    ann.delete()

    assert not any(model.objects.exists() for model in (Device, Preference, QuietHours))


# --- another address --------------------------------------------------------------------------------------------------


def test_it_is_known_since_when_somebody_has_another_address():
    person = UserFactory(email="ann@example.com")
    person.name = "Ann"
    person.save()
    person.email = "ANN@example.com"  # the same mailbox
    person.save(update_fields=["email"])
    assert User.objects.get(pk=person.pk).address_changed_at is None

    person.email = "new@example.com"
    person.save(update_fields=["email"])
    changed = User.objects.get(pk=person.pk).address_changed_at
    assert changed is not None

    again = User.objects.get(pk=person.pk)
    again.name = "Anna"
    again.save()
    assert User.objects.get(pk=person.pk).address_changed_at == changed
