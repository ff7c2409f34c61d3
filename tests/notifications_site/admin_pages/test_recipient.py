"""“Did Ann get it?” is answered by the first line of her page."""

import pytest

from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import NotificationFactory, UserFactory
from users.models import Suppression
from users.preferences import Origin, Wish, change_preferences
from users.suppressions import suppress_address

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return UserFactory(name="Ann", email="ann@example.com")


def timeline(person):
    return f"/admin/users/user/{person.pk}/timeline/"


def test_the_first_line_tells_what_became_of_the_last_message(ann):
    NotificationFactory(user=ann, status="failed", reason="rejected")
    last = NotificationFactory(user=ann, status="suppressed", reason="no_address")
    client = signed_in(owner())

    for address in (timeline(ann), f"/admin/users/user/{ann.pk}/change/"):
        text = page(client, address)
        assert "Last message:" in text
        assert "by e-mail to a••@example.com" in text
        assert f"/admin/gateway/notification/{last.pk}/change/" in text
        assert "ann@example.com" not in text


def test_messages_decisions_and_blocks_stand_in_one_timeline_newest_first(ann):
    NotificationFactory.create_batch(3, user=ann)
    NotificationFactory()
    origin = Origin(by="self", source="api")
    change_preferences(user=ann, wish=Wish(channels={"push": False}, categories={}), origin=origin)
    suppress_address(address=ann.email, reason=Suppression.Reason.MANUAL, evidence="by phone")
    client = signed_in(owner())

    text = page(client, timeline(ann))

    assert text.count('class="nt-step ') == 5
    assert "Everything, Push: off" in text
    assert "by phone" in text
    assert len(queries_of(client, timeline(ann))) <= MOST_QUERIES


def test_who_sees_people_but_no_messages_learns_of_none(ann):
    NotificationFactory(user=ann)
    looker = signed_in(staff("users.view_user"))

    assert looker.get(timeline(ann)).status_code == 403
    text = page(looker, f"/admin/users/user/{ann.pk}/change/")
    assert "Last message" not in text
    assert timeline(ann) not in text


def test_an_empty_timeline_says_how_to_begin(ann):
    text = page(signed_in(owner()), timeline(ann))
    assert "This person was sent nothing yet." in text
    assert "curl" in text
