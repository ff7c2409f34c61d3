"""The inbox of captured pushes."""

import uuid

import pytest

from channels_push.models import CapturedPush
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import NotificationFactory, PublishedVersionFactory, UserFactory

pytestmark = pytest.mark.django_db

INBOX = "/admin/channels_push/capturedpush/"


def kept(**fields):
    """A push as the capture provider keeps it."""
    given = {
        "device_id": uuid.uuid4(),
        "device_name": "Ann's phone",
        "platform": "android",
        "token_tail": "x7Qa",
        "title": "Your parcel is on its way",
        "body": "Order HB-1",
    } | fields
    return CapturedPush.objects.create(**{"notification": fields.get("notification") or NotificationFactory()} | given)


@pytest.fixture
def client():
    return signed_in(owner())


def test_the_inbox_shows_the_newest_push_as_its_device_would(client):
    kept(title="Earlier")
    kept(title="Later", platform="ios")
    text = page(client, INBOX)
    assert text.index("Later") < text.index("Earlier")
    assert 'data-look="ios"' in text


def test_a_push_shows_what_an_app_gets_with_it(client):
    push = kept(link="https://shop.example/orders/1", data={"screen": "order"}, image="https://cdn.example/a.png")
    text = page(client, f"{INBOX}{push.pk}/change/")
    for words in ("Your parcel is on its way", "Order HB-1", "https://shop.example/orders/1", "screen", "…x7Qa"):
        assert words in text


def test_no_foreign_picture_is_loaded(client):
    push = kept(image="https://cdn.example/a.png")
    text = page(client, f"{INBOX}{push.pk}/change/")
    assert "https://cdn.example/a.png" in text
    assert 'src="https://cdn.example' not in text


def test_a_notification_leads_to_its_push_and_back(client):
    push = kept()
    assert client.get(f"{INBOX}?notification={push.notification_id}").url == f"{INBOX}{push.pk}/change/"
    assert f"/admin/gateway/notification/{push.notification_id}/change/" in page(client, f"{INBOX}{push.pk}/change/")


def test_a_notification_without_a_push_leads_to_the_inbox_and_says_so(client):
    answer = client.get(f"{INBOX}?notification={uuid.uuid4()}", follow=True)
    assert "No push of this notification is in the inbox" in answer.content.decode()


@pytest.mark.parametrize("term", ["parcel", "hb-1", "ANN'S"])
def test_the_inbox_is_searched_by_title_text_and_device(client, term):
    kept()
    kept(title="Other", body="Something", device_name="Tablet")
    text = page(client, f"{INBOX}?q={term}")
    assert "Your parcel" in text
    assert "Something" not in text


def test_the_inbox_asks_little_and_counts_nothing(client):
    version, person = PublishedVersionFactory(), UserFactory()
    for _ in range(12):
        kept(notification=NotificationFactory(template_version=version, user=person))
    asked = queries_of(client, INBOX)
    assert len(asked) <= MOST_QUERIES
    assert not [sql for sql in asked if "COUNT(" in sql]


def test_an_empty_inbox_says_how_to_fill_it(client):
    assert "The inbox is empty" in page(client, INBOX)


def test_a_push_that_is_gone_leads_back_to_the_inbox(client):
    assert client.get(f"{INBOX}{uuid.uuid4()}/change/").url == INBOX


def test_deleting_all_asks_first(client):
    kept()
    assert "Delete all captured pushes?" in page(client, f"{INBOX}delete_all/")
    assert CapturedPush.objects.exists()
    client.post(f"{INBOX}delete_all/")
    assert not CapturedPush.objects.exists()


def test_who_may_only_look_deletes_nothing():
    onlooker = signed_in(staff("channels_push.view_capturedpush"))
    kept()
    assert "delete_all" not in page(onlooker, INBOX)
    assert onlooker.post(f"{INBOX}delete_all/").status_code == 403
    assert CapturedPush.objects.exists()


def test_nobody_reads_pushes_without_permission():
    outsider, push = signed_in(staff()), kept()
    for address in (INBOX, f"{INBOX}?notification={push.notification_id}", f"{INBOX}{push.pk}/change/"):
        assert outsider.get(address).status_code == 403
