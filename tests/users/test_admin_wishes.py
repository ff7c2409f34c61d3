"""Wishes and blocked addresses in the admin: through the same use cases as everywhere."""

import pytest

from tests.admin_scene import MOST_QUERIES, form_values, owner, page, queries_of, signed_in, staff
from tests.factories import UserFactory
from users.models import AuditEntry, ChangedWishes, ConsentEvent, Preference, QuietHours, Suppression
from users.suppressions import suppress_address

pytestmark = pytest.mark.django_db

LIST = "/admin/users/suppression/"


@pytest.fixture
def client():
    return signed_in(owner())


def save(client, person, **changes):
    address = f"/admin/users/user/{person.pk}/change/"
    response = client.post(address, form_values(page(client, address)) | changes)
    assert response.status_code == 302, response.content.decode()[:2000]


def test_a_switch_set_by_staff_stands_in_the_ledger(client):
    ann = UserFactory()
    new = {"preferences-TOTAL_FORMS": "1", "preferences-0-channel": "email", "preferences-0-category": "marketing"}

    save(client, ann, **new)

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


def test_saving_a_page_as_it_is_changes_no_wish(client):
    ann = UserFactory()
    Preference.objects.create(user=ann, channel="email", category_id="updates", is_enabled=False)

    save(client, ann)

    assert Preference.objects.count() == 1
    assert not ConsentEvent.objects.exists()


def test_a_mandatory_category_stays_on(client):
    ann = UserFactory()
    new = {"preferences-TOTAL_FORMS": "1", "preferences-0-channel": "email", "preferences-0-category": "security"}

    save(client, ann, **new)

    assert not Preference.objects.exists()


def test_quiet_hours_set_by_staff_are_decided_on_again(client):
    ann = UserFactory()
    hours = {"quiet_hours-TOTAL_FORMS": "1", "quiet_hours-0-start": "22:00", "quiet_hours-0-end": "07:00"}

    save(client, ann, **hours)

    assert QuietHours.objects.get().user == ann
    assert ChangedWishes.objects.filter(user=ann).exists()


# --- blocked addresses ------------------------------------------------------------------------------------------------


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
