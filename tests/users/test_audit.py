import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import ApiKeyFactory, UserFactory
from users.audit import note
from users.audit_models import AuditEntry, CannotBeChanged

pytestmark = pytest.mark.django_db


def test_a_line_says_who_did_what_to_what_and_why():
    sam, key = UserFactory(name="Sam"), ApiKeyFactory(name="Shop")

    line = note(who=sam, what="api_key.revoked", about=key, after={"revoked": True}, why="lost", address="192.0.2.7")

    line.refresh_from_db()
    assert (line.who, line.who_id, line.what, line.why) == ("Sam", sam.pk, "api_key.revoked", "lost")
    assert (line.about_kind, line.about_id) == ("users.apikey", str(key.pk))
    assert line.about_name.startswith("Shop")
    assert (line.before, line.after, line.address) == ({}, {"revoked": True}, "192.0.2.7")


def test_of_a_person_it_keeps_the_id_and_nothing_else():
    ann = UserFactory(name="Ann")

    line = note(who="manage.py erase_recipient", what="person.erased", about=ann)

    assert (line.who_id, line.about_id, line.about_name) == (None, str(ann.pk), "")


def test_addresses_and_secrets_are_masked():
    line = note(
        who="key of ann@example.com",
        what="person.changed",
        about="all people",
        before={"email": "ann@example.com", "password": "hunter2", "at": timezone.now()},
        after={"devices": [{"token": "abc", "name": "Phone"}], "locale": None, "note": "for bob@example.com"},
        why="asked by ann@example.com",
    )

    told = f"{line.who} {line.before} {line.after} {line.why}"
    assert not [word for word in ("ann@", "bob@", "hunter2", "abc") if word in told]
    assert line.before["email"] == "a••@example.com"
    assert line.after["devices"][0]["name"] == "Phone"


def test_lines_are_never_changed_nor_deleted():
    line = note(who="x", what="y", about="z")
    line.what = "other"

    for act in (
        line.save,
        line.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(what="other"),
    ):
        with pytest.raises(CannotBeChanged):
            act()
    assert AuditEntry.objects.get().what == "y"


def test_it_goes_back_with_the_act():
    @transaction.atomic
    def act_in_vain():
        note(who="x", what="y", about="z")
        UserFactory(external_id=None, email=None)

    with pytest.raises(IntegrityError):
        act_in_vain()

    assert not AuditEntry.objects.exists()
