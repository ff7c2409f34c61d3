"""What lies in the database is sealed; what the models say is plain."""

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F, TextField
from django.db.models.functions import Cast

from channels_email.models import CapturedEmail
from channels_push.models import CapturedPush
from gateway.models import Notification
from tests.factories import DeviceFactory, NotificationFactory, UserFactory
from users.encrypted_fields import EncryptedField
from users.encryption import CannotOpen
from users.key_ring import read_keys
from users.models import Device, User

pytestmark = pytest.mark.django_db

AWKWARD = {"text": "äß漢🙂 'x' %s", "whole": 2**70, "list": [1, [True]], "none": None}


def stored(row, column):
    """What lies in the database, whatever the model makes of it."""
    plain = type(row).objects.filter(pk=row.pk).annotate(_stored=Cast(F(column), TextField()))
    return plain.values_list("_stored", flat=True).get()


def test_an_address_is_sealed_and_read_again():
    ann = UserFactory(email="Ann@example.com")

    assert stored(ann, "email").startswith("v2.")
    assert "nn@" not in stored(ann, "email")
    assert User.objects.get(pk=ann.pk).email == "Ann@example.com"
    assert User.objects.values_list("email", flat=True).get(pk=ann.pk) == "Ann@example.com"


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_is_empty_stays_empty(nothing):
    person = UserFactory(email=nothing)

    assert stored(person, "email") == nothing
    assert User.objects.get(pk=person.pk).email == nothing
    assert person.email_index is None


def test_variables_come_back_as_they_were():
    row = NotificationFactory(variables=AWKWARD)
    empty = NotificationFactory(variables={})

    assert stored(row, "variables").startswith("v2.")
    assert Notification.objects.get(pk=row.pk).variables == AWKWARD
    assert stored(empty, "variables") == ""
    assert Notification.objects.get(pk=empty.pk).variables == {}


def test_captured_messages_are_sealed():
    row = NotificationFactory()
    mail = CapturedEmail.objects.create(notification=row, to="ann@example.com", subject="Hi", source=b"Hi \xff\x00")
    push = CapturedPush.objects.create(
        notification=row, device_id=row.pk, platform="ios", token_tail="abcd", title="Hi", body="Ann", data={"a": "b"}
    )

    assert CapturedEmail.objects.get().source == b"Hi \xff\x00"
    assert CapturedPush.objects.get().data == {"a": "b"}
    for message, columns in ((mail, ("to", "subject", "source")), (push, ("title", "body", "data"))):
        assert all(stored(message, column).startswith("v2.") for column in columns)


def test_a_sealed_text_is_worth_nothing_in_another_column():
    ann, device = UserFactory(), DeviceFactory()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users_device SET token = %s", [stored(ann, "email")])

    with pytest.raises(CannotOpen):
        Device.objects.get(pk=device.pk)


def test_a_missing_key_is_said_and_nothing_is_passed_over(settings):
    ann = UserFactory()
    lost = settings.ENCRYPTION_KEYS[0].id
    settings.ENCRYPTION_KEYS = read_keys("n" * 32)

    with pytest.raises(CannotOpen, match=lost):
        User.objects.get(pk=ann.pk)


@pytest.mark.parametrize("search", [{"email": "a@b.c"}, {"email__iexact": "a@b.c"}, {"email__icontains": "a"}])
def test_a_search_that_could_find_nothing_is_refused(search):
    with pytest.raises(FieldError):
        User.objects.filter(**search)


def test_people_without_an_address_can_be_found():
    nobody, _ = UserFactory(email=None), UserFactory()

    assert list(User.objects.filter(email=None)) == list(User.objects.filter(email__isnull=True)) == [nobody]


def test_a_person_is_found_by_the_address_however_it_is_written():
    ann = UserFactory(email="Ann@example.com")

    assert User.objects.with_email(" ann@EXAMPLE.com").get() == ann
    assert not User.objects.with_email("").exists()
    assert not User.objects.with_email("bob@example.com").exists()


def test_the_index_follows_every_way_of_writing():
    ann = UserFactory(email="ann@example.com")

    ann.email = "b@example.com"
    ann.save(update_fields=["email"])
    assert User.objects.with_email("b@example.com").get() == ann
    User.objects.filter(pk=ann.pk).update(email="c@example.com")
    assert User.objects.with_email("c@example.com").get() == ann
    User.objects.bulk_create([User(external_id="d", email="d@example.com")])
    assert User.objects.with_email("d@example.com").get().external_id == "d"
    User.objects.filter(pk=ann.pk).update(email=None)
    assert not User.objects.with_email("c@example.com").exists()


def test_one_address_belongs_to_one_person():
    UserFactory(email="ann@example.com")
    other = User(external_id="other", email="ANN@example.com")

    with pytest.raises(ValidationError, match="belongs to another person"):
        other.validate_unique()
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save()


def test_a_copy_within_the_database_stays_readable():
    row = NotificationFactory(variables={"a": 1})
    Notification.objects.filter(pk=row.pk).update(variables=F("variables"))

    assert Notification.objects.get(pk=row.pk).variables == {"a": 1}


def test_every_encrypted_column_is_bound_to_its_own_place():
    fields = [
        each for model in (User, Device, Notification, CapturedEmail, CapturedPush) for each in model._meta.fields
    ]
    purposes = [field.purpose for field in fields if isinstance(field, EncryptedField)]

    assert "users_user.email" in purposes
    assert len(set(purposes)) == len(purposes) == 11
