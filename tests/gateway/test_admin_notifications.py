"""The list of notifications, and the page of one: what Support sees and what an operator may do there."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.urls import reverse

from gateway import outbox
from gateway.attachments import attach, files_for
from gateway.channel_contract import Outcome
from gateway.models import NotificationEvent
from gateway.request import AttachmentRequest
from gateway.statuses import Status
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import (
    ApiKeyFactory,
    AttemptFactory,
    DeviceFactory,
    NotificationFactory,
    PublishedVersionFactory,
    UserFactory,
)
from users.models import User

pytestmark = pytest.mark.django_db

LIST = "/admin/gateway/notification/"


def page_of(notification, part="change"):
    return f"{LIST}{notification.pk}/{part}/"


@pytest.fixture
def client():
    return signed_in(owner())


# --- the list ---------------------------------------------------------------------------------------------------------
def test_the_list_says_what_to_whom_and_why(client):
    NotificationFactory(
        user=UserFactory(name="Chloé"),
        request_id="req-7",
        status=Status.FAILED,
        reason="variable_missing",
        reason_data={"variable": "name"},
    )
    text = page(client, LIST)
    assert "Welcome → Chloé" in text
    assert "req-7" in text
    assert "There was no value for name." in text


def test_an_erased_person_does_not_make_the_row_disappear(client):
    row = NotificationFactory(user_public_id="user-gone")
    User.objects.filter(pk=row.user_id).delete()
    assert "Welcome → user-gone" in page(client, LIST)
    assert "user-gone" in page(client, page_of(row))


def test_the_list_counts_nothing_and_asks_little(client):
    version = PublishedVersionFactory()
    NotificationFactory.create_batch(25, template_version=version)
    asked = queries_of(client, LIST)
    assert len(asked) <= MOST_QUERIES
    assert not [sql for sql in asked if "COUNT(" in sql and "gateway_notification" in sql]


def test_the_list_has_a_next_page_only_when_there_are_more(client):
    version, person = PublishedVersionFactory(), UserFactory()
    NotificationFactory.create_batch(20, template_version=version, user=person)
    assert ">Next<" not in page(client, LIST)
    NotificationFactory(template_version=version, user=person, request_id="the-oldest-is-elsewhere")
    assert ">Next<" in page(client, LIST)
    assert page(client, f"{LIST}?p=2").count("data-row") == 1


@pytest.mark.parametrize("term", ["req-9", "user-9", "NINE@example.com"])
def test_a_search_finds_exact_ids_only(client, term):
    ApiKeyFactory(client="shop")
    nine = UserFactory(external_id="user-9", email="nine@example.com", name="Nina")
    NotificationFactory(user=nine, request_id="req-9")
    NotificationFactory(user=UserFactory(external_id="user-99", name="Other"), request_id="req-99")
    text = page(client, f"{LIST}?q={term}")
    assert "Nina" in text
    assert "Other" not in text


def test_a_search_finds_a_notification_by_its_own_id(client):
    row = NotificationFactory(user=UserFactory(name="Nina"))
    NotificationFactory(user=UserFactory(name="Other"))
    text = page(client, f"{LIST}?q={row.pk}")
    assert "Nina" in text
    assert "Other" not in text


def test_the_lane_filter_speaks_the_words_of_the_api(client):
    NotificationFactory(priority=9, request_id="urgent")
    NotificationFactory(priority=8, request_id="less-so")
    text = page(client, f"{LIST}?lane=critical")
    assert "urgent" in text
    assert "less-so" not in text


def test_an_empty_list_says_how_to_make_something_appear(client):
    assert "curl -X POST" in page(client, LIST)


# --- the page of one --------------------------------------------------------------------------------------------------
def test_the_first_line_answers(client):
    row = NotificationFactory(
        status=Status.DELIVERED,
        reason="delivered",
        reason_data={"domain": "example.com"},
        provider="smtp",
        request_id="req-4",
    )
    text = page(client, page_of(row))
    assert "<strong>Delivered:</strong> The mail server of example.com accepted it. It can still be in spam." in text
    assert "Notification req-4" in text


def test_the_page_shows_every_step(client):
    row = NotificationFactory(
        status=Status.FAILED, reason="attempts_exhausted", reason_data={"n": "1", "error": "busy"}
    )
    AttemptFactory(notification=row, claim_token=row.pk, provider="smtp", outcome="transient", detail="too busy")
    NotificationEvent.objects.create(notification=row, type="failed", reason="attempts_exhausted", data={"n": "1"})
    text = page(client, page_of(row))
    assert "Attempt 1 by smtp" in text
    assert "too busy" in text
    assert "Given up" in text


def test_the_attempts_of_a_push_name_their_devices(client):
    row = NotificationFactory(channel="push", status=Status.FAILED)
    device = DeviceFactory(user=row.user, name="Ann's tablet")
    AttemptFactory(notification=row, claim_token=row.pk, device_id=device.pk)
    assert "Attempt 1 by capture → Ann&#x27;s tablet" in page(client, page_of(row))


def test_files_are_named_to_those_who_may_see_content(client):
    row = NotificationFactory(attachment_count=1)
    file = AttachmentRequest(filename="Rechnung.pdf", content_type="application/pdf", content=b"x" * 2048)
    with transaction.atomic():
        attach([(row.pk, [file], files_for([file], {}, client="shop", mode="live"))])
    assert "Rechnung.pdf" in page(client, page_of(row))
    assert "2.0\xa0KB" in page(client, page_of(row))
    assert "Rechnung.pdf" not in page(signed_in(staff("gateway.view_notification")), page_of(row))


def test_sensitive_variables_are_hidden(client):
    version = PublishedVersionFactory(
        variables=[{"name": "name", "type": "string"}, {"name": "link", "type": "url", "sensitive": True}]
    )
    row = NotificationFactory(template_version=version, variables={"name": "Ann", "link": "https://secret.example"})
    text = page(client, page_of(row))
    assert "•••" in text
    assert "secret.example" not in text


def test_support_sees_why_but_not_what(client):
    support = signed_in(staff("gateway.view_notification"))
    row = NotificationFactory(variables={"name": "Annabella"}, provider="capture", status=Status.SENT, reason="sent")
    text = page(support, page_of(row))
    assert "Annabella" not in text
    assert "Open what the person got" not in text
    assert "Annabella" in page(client, page_of(row))


@pytest.mark.parametrize("channel", ["email", "push"])
def test_a_captured_message_opens_from_its_notification(client, channel):
    row = NotificationFactory(channel=channel, status=Status.SENT, reason="sent", provider="capture")
    assert f"?notification={row.pk}" in page(client, page_of(row))


def test_a_page_asks_little_of_the_database(client):
    row = NotificationFactory(status=Status.FAILED)
    AttemptFactory.create_batch(8, notification=row, claim_token=row.pk)
    assert len(queries_of(client, page_of(row))) <= MOST_QUERIES


@pytest.mark.parametrize("identifier", ["not-an-id", "019a2b7e-1111-7abc-8def-0123456789ab"])
def test_an_unknown_id_leads_back_to_the_list(client, identifier):
    answer = client.get(f"{LIST}{identifier}/change/")
    assert (answer.status_code, answer.url) == (302, LIST)


def test_the_part_that_refreshes_itself_says_when_it_is_final(client):
    row = NotificationFactory()
    assert client.get(page_of(row, "live"))["X-Final"] == "no"
    outbox.cancel(row.pk, who="Sam")
    answer = client.get(page_of(row, "live"))
    assert answer["X-Final"] == "yes"
    assert "<html" not in answer.content.decode()


# --- what one can do --------------------------------------------------------------------------------------------------
BUTTONS = [("cancel", Status.ACCEPTED), ("replay", Status.FAILED), ("settle", Status.UNKNOWN)]


@pytest.mark.parametrize(("button", "status"), BUTTONS)
def test_a_button_shows_only_where_it_makes_sense(client, button, status):
    assert page_of(row := NotificationFactory(status=status), button) in page(client, page_of(row))
    delivered = NotificationFactory(status=Status.DELIVERED, reason="delivered")
    assert page_of(delivered, button) not in page(client, page_of(delivered))


@pytest.mark.parametrize(("button", "status"), BUTTONS)
def test_without_its_permission_a_button_is_neither_shown_nor_obeyed(button, status):
    support = signed_in(staff("gateway.view_notification"))
    row = NotificationFactory(status=status)
    assert page_of(row, button) not in page(support, page_of(row))
    assert support.post(page_of(row, button), {"reason": "because"}).status_code == 403
    row.refresh_from_db()
    assert row.status == status


@pytest.mark.parametrize(("button", "status"), BUTTONS)
def test_looking_at_the_question_changes_nothing(client, button, status):
    row = NotificationFactory(status=status)
    page(client, page_of(row, button))
    page(client, page_of(row, button))
    row.refresh_from_db()
    assert row.status == status


def test_cancel_asks_for_a_reason_and_keeps_it():
    person = staff("gateway.view_notification", "gateway.cancel_notification")
    client, row = signed_in(person), NotificationFactory()
    assert "This field is required" in client.post(page_of(row, "cancel"), {"reason": ""}).content.decode()
    client.post(page_of(row, "cancel"), {"reason": "ordered twice"})
    row.refresh_from_db()
    assert (row.status, row.reason_data) == (Status.CANCELLED, {"who": "Sam", "reason": "ordered twice"})
    assert LogEntry.objects.get(object_id=str(row.pk)).change_message == "Cancelled: ordered twice"


def test_cancel_comes_too_late_after_the_hand_over(client):
    row = NotificationFactory(status=Status.SENDING)
    answer = client.post(page_of(row, "cancel"), {"reason": "x"}, follow=True)
    assert "Too late: its status is “Sending”" in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_replay_gives_a_dead_letter_another_life(client):
    row = NotificationFactory(status=Status.FAILED, reason="attempts_exhausted", tries_used=8)
    client.post(page_of(row, "replay"), {"reason": "server is back"})
    row.refresh_from_db()
    assert (row.status, row.tries_used) == (Status.ACCEPTED, 0)
    assert row.events.get().data == {"who": "Olga", "why": "server is back"}


@pytest.mark.parametrize(("verdict", "status"), [("arrived", Status.SENT), ("given_up", Status.FAILED)])
def test_settle_decides_a_doubt(client, verdict, status):
    row = NotificationFactory(status=Status.UNKNOWN, reason="outcome_unknown")
    client.post(page_of(row, "settle"), {"verdict": verdict, "reason": "asked her"})
    row.refresh_from_db()
    assert row.status == status


def test_nobody_gets_in_without_permission():
    outsider = signed_in(staff())
    row = NotificationFactory()
    for part in ("change", "live"):
        assert outsider.get(page_of(row, part)).status_code == 403
    assert outsider.get(LIST).status_code == 403


def test_a_stranger_is_asked_to_sign_in(client):
    client.logout()
    answer = client.get(LIST)
    assert answer.url.startswith(reverse("admin:login"))


def test_a_doubtful_dead_letter_is_replayed_only_when_that_is_ticked(client):
    row = NotificationFactory(status=Status.FAILED, reason="outcome_unknown")
    assert "Also 1 that may have gone out" in page(client, page_of(row, "replay"))
    client.post(page_of(row, "replay"), {"reason": "asked her"})
    row.refresh_from_db()
    assert row.status == Status.FAILED
    client.post(page_of(row, "replay"), {"reason": "asked her", "include_doubtful": "on"})
    row.refresh_from_db()
    assert (row.status, row.possible_duplicate) == (Status.ACCEPTED, True)


def test_what_a_provider_has_taken_is_not_replayed(client):
    row = NotificationFactory(status=Status.FAILED, reason="attempts_exhausted")
    AttemptFactory(notification=row, outcome=Outcome.ACCEPTED, claim_token=row.pk)
    answer = client.post(page_of(row, "replay"), {"reason": "again"}, follow=True)
    assert "a provider has it already; nothing was changed" in answer.content.decode()
    row.refresh_from_db()
    assert row.status == Status.FAILED
