"""Blocked addresses in the admin: through the same use cases as everywhere."""

import pytest

from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from users.models import AuditEntry, Suppression
from users.suppressions import suppress_address

pytestmark = pytest.mark.django_db

LIST = "/admin/users/suppression/"


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def blocked():
    suppress_address(address="ann@example.com", reason=Suppression.Reason.HARD_BOUNCE, evidence="550 5.1.1 unknown")
    return Suppression.objects.get()


def test_the_list_says_why_and_shows_no_address(client, blocked):
    text = page(client, LIST)

    assert "a••@example.com" in text
    assert "It bounced for good" in text
    assert "ann@example.com" not in text
    assert len(queries_of(client, LIST)) <= MOST_QUERIES


def test_an_empty_list_says_what_would_be_there(client):
    assert "appears here by itself" in page(client, LIST)


def test_lifting_asks_for_a_reason_and_is_written_down(client, blocked):
    address = f"{LIST}{blocked.pk}/lift/"

    assert "550 5.1.1 unknown" in page(client, address)
    assert client.post(address, {"reason": ""}).status_code == 200
    assert Suppression.objects.in_force().exists()

    assert client.post(address, {"reason": "She gave us a new mailbox"}).status_code == 302
    blocked.refresh_from_db()
    assert (blocked.lifted_by, blocked.lifted_why) == ("Olga", "She gave us a new mailbox")
    assert AuditEntry.objects.filter(what="suppression.lifted").exists()


def test_lifting_needs_its_own_permission(blocked):
    looker = signed_in(staff("users.view_suppression"))

    assert "a••@example.com" in page(looker, LIST)
    assert looker.post(f"{LIST}{blocked.pk}/lift/", {"reason": "x"}).status_code == 403
    assert Suppression.objects.in_force().exists()
