"""The list of dead letters."""

import pytest

from gateway.models import Notification
from gateway.statuses import Status
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import NotificationFactory, PublishedVersionFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/gateway/deadletter/"


def dead(**fields):
    return NotificationFactory(**{"status": Status.FAILED, "reason": "rejected"} | fields)


def choice(*rows, **more):
    return {"action": "replay_selected", "_selected_action": [str(row.pk) for row in rows]} | more


def test_only_what_was_given_up_is_listed():
    dead(request_id="given-up")
    NotificationFactory(request_id="still-waiting")
    text = page(signed_in(owner()), LIST)
    assert "given-up" in text
    assert "still-waiting" not in text


def test_replaying_asks_first_and_names_what_it_would_touch():
    client, row = signed_in(owner()), dead()
    text = client.post(LIST, choice(row)).content.decode()
    assert "Replay 1 notification?" in text
    assert "Welcome → Ann" in text
    row.refresh_from_db()
    assert row.status == Status.FAILED


def test_replaying_with_a_reason_gives_the_chosen_ones_another_life():
    client, chosen, other = signed_in(owner()), dead(), dead()
    answer = client.post(LIST, choice(chosen, reason="server is back"), follow=True)
    assert "1 goes out again in a moment." in answer.content.decode()
    assert Notification.objects.get(pk=chosen.pk).status == Status.ACCEPTED
    assert Notification.objects.get(pk=other.pk).status == Status.FAILED


def test_without_permission_nothing_is_replayed():
    client, row = signed_in(staff("gateway.view_deadletter")), dead()
    assert "replay_selected" not in page(client, LIST)
    client.post(LIST, choice(row, reason="because"))
    assert Notification.objects.get(pk=row.pk).status == Status.FAILED


def test_a_dead_letter_has_the_page_every_notification_has():
    row = dead()
    answer = signed_in(owner()).get(f"{LIST}{row.pk}/change/")
    assert answer.url == f"/admin/gateway/notification/{row.pk}/change/"


def test_the_list_counts_nothing_and_asks_little():
    NotificationFactory.create_batch(
        25, template_version=PublishedVersionFactory(), status=Status.FAILED, reason="rejected"
    )
    asked = queries_of(signed_in(owner()), LIST)
    assert len(asked) <= MOST_QUERIES
    assert not [sql for sql in asked if "COUNT(" in sql and "gateway_notification" in sql]
