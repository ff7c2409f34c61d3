"""Addresses are masked until somebody asks; what staff do with personal data is noted."""

import json

import pytest

from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import UserFactory
from users.audit import note
from users.models import AuditEntry, User

pytestmark = pytest.mark.django_db

AUDIT = "/admin/users/auditentry/"


@pytest.fixture
def ann():
    return UserFactory(external_id="user-ann", name="Ann", email="ann@example.com")


def page_of(person):
    return f"/admin/users/user/{person.pk}/change/"


def action_of(person, name):
    return f"/admin/users/user/{person.pk}/{name}/"


def test_the_address_is_masked_until_somebody_asks_and_that_is_noted(ann):
    client = signed_in(owner())
    assert "ann@example.com" not in page(client, page_of(ann))
    assert "a••@example.com" in page(client, page_of(ann))

    assert "ann@example.com" not in page(client, action_of(ann, "show_address"))
    assert not AuditEntry.objects.exists()
    client.post(action_of(ann, "show_address"))

    assert "ann@example.com" in page(client, page_of(ann))
    line = AuditEntry.objects.get()
    assert (line.what, line.about_id, line.who, line.address) == (
        "person.address_shown",
        str(ann.pk),
        "Olga",
        "127.0.0.1",
    )


def test_saving_a_masked_page_leaves_the_address_alone(ann):
    client = signed_in(staff("users.view_user", "users.change_user"))

    answer = client.post(
        page_of(ann), {"name": "Anna", "external_id": "user-ann", "locale": "en", "timezone": "UTC", "email": "x@y.zz"}
    )

    ann.refresh_from_db()
    assert answer.status_code in (200, 302)
    assert ann.email == "ann@example.com"


@pytest.mark.parametrize("name", ["show_address", "export", "erase"])
def test_who_has_no_permission_does_nothing_of_it(ann, name):
    client = signed_in(staff("users.view_user", "users.change_user"))

    answer = client.post(action_of(ann, name), {"reason": "why not"})

    assert answer.status_code in (302, 403)
    assert User.objects.filter(pk=ann.pk).exists()
    assert "ann@example.com" not in page(client, page_of(ann))
    assert not AuditEntry.objects.exists()


def test_an_export_is_a_file(ann):
    client = signed_in(owner())

    answer = client.post(action_of(ann, "export"))

    assert answer["Content-Disposition"] == f'attachment; filename="person-{ann.pk}.json"'
    assert answer["Cache-Control"].startswith("no-store")
    assert json.loads(answer.content)["person"]["email"] == "ann@example.com"


def test_an_erasure_asks_for_a_reason_and_is_noted(ann):
    client = signed_in(owner())
    assert "go for good" in page(client, action_of(ann, "erase"))
    client.post(action_of(ann, "erase"), {"reason": ""})
    assert User.objects.filter(pk=ann.pk).exists()

    client.post(action_of(ann, "erase"), {"reason": "asked"})

    assert not User.objects.filter(pk=ann.pk).exists()
    assert AuditEntry.objects.get().why == "asked"
    assert client.post(action_of(ann, "erase"), {"reason": "again"}).status_code == 302


def test_a_colleague_is_erased_only_by_who_manages_staff():
    colleague = UserFactory(is_staff=True)
    client = signed_in(staff("users.view_user", "users.change_user", "users.erase_person"))

    client.post(action_of(colleague, "erase"), {"reason": "rival"})

    assert User.objects.filter(pk=colleague.pk).exists()


def test_the_audit_log_is_read_only_masked_and_cheap(ann):
    client = signed_in(owner())
    assert "Nothing noted yet" in page(client, AUDIT)
    line = note(who="Sam", what="person.changed", about=ann, before={"email": "ann@example.com"}, why="typo")
    for _ in range(30):
        note(who="Kim", what="key.revoked", about="key shop")

    text = page(client, f"{AUDIT}?q=Sam")
    assert "person.changed" in text
    assert page_of(ann) in text
    assert len(queries_of(client, AUDIT)) <= MOST_QUERIES
    details = page(client, f"{AUDIT}{line.pk}/change/")
    assert "a••@example.com" in details
    assert 'name="_save"' not in details
    assert client.post(f"{AUDIT}{line.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{AUDIT}add/").status_code == 403


def test_the_audit_log_is_not_for_everybody():
    assert signed_in(staff("users.view_user")).get(AUDIT).status_code == 403
