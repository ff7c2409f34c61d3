import html
import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from channels_email.models import CapturedEmail
from channels_push.models import CapturedPush
from gateway.demo_data import seed_demo
from gateway.models import Notification
from gateway.statuses import Status
from notifications_site import start_page
from tests.factories import NotificationFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE, MESSAGES = "/", "/start/messages"


@pytest.fixture(autouse=True)
def _var_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def messages(client):
    return client.get(MESSAGES).json()["messages"]


def test_the_page_shows_every_sample_with_the_demo_key(client, tmp_path):
    key = seed_demo(keep_in=tmp_path).api_key

    text = html.unescape(client.get(PAGE).content.decode())

    assert text.count(f"Authorization: Bearer {key}") == 4
    for person in ("user-123", "user-jonas"):
        assert f'"user_id": "{person}"' in text
    assert '"template_code": "order_shipped"' in text


def test_the_page_never_shows_the_password(client, tmp_path):
    password = seed_demo(keep_in=tmp_path).admin_password

    assert password not in client.get(PAGE).content.decode()


def test_without_a_known_key_the_page_says_how_to_make_one(client):
    text = client.get(PAGE).content.decode()

    assert "YOUR_API_KEY" in text
    assert "manage.py create_api_key" in text


@pytest.mark.parametrize(
    "name",
    [
        "admin:index",
        "docs",
        "admin:channels_email_capturedemail_changelist",
        "admin:channels_push_capturedpush_changelist",
    ],
)
def test_every_door_is_there(client, name):
    assert f'href="{reverse(name)}"' in client.get(PAGE).content.decode()


def test_the_page_says_whether_messages_leave_the_machine(client, settings):
    assert "nothing leaves the machine" in client.get(PAGE).content.decode()

    settings.EMAIL_PROVIDERS = ["smtp"]

    assert "really sent" in client.get(PAGE).content.decode()


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(client):
    NotificationFactory()
    elements = Elements(client.get(PAGE).content.decode()).found

    assert not [tag for tag, attrs in elements if tag == "style" or (tag == "script" and "src" not in attrs)]
    assert not [attrs for _, attrs in elements if "style" in attrs or any(name.startswith("on") for name in attrs)]
    links = [attrs.get("src") or attrs.get("href") for tag, attrs in elements if tag in ("script", "link", "img", "a")]
    assert not [link for link in links if link and re.match(r"https?:|//", link)]


def test_ids_on_the_page_are_unique(client):
    NotificationFactory.create_batch(2)
    ids = [attrs["id"] for _, attrs in Elements(client.get(PAGE).content.decode()).found if "id" in attrs]

    assert len(ids) == len(set(ids))


def test_an_empty_list_says_what_to_do(client):
    elements = Elements(client.get(PAGE).content.decode()).found

    assert messages(client) == []
    assert "hidden" not in next(attrs for _, attrs in elements if attrs.get("id") == "empty")


def test_a_message_is_told_with_person_status_and_a_link_to_its_story(client):
    row = NotificationFactory(user=UserFactory(name="Ann"), status=Status.SENT, reason="sent", provider="capture")
    CapturedEmail.objects.create(notification=row, to="ann@example.com", subject="Welcome, Ann", source=b"")

    (message,) = messages(client)

    assert message == {
        "id": str(row.pk),
        "at": message["at"],
        "person": "Ann",
        "channel": "E-mail",
        "template": row.template.code,
        "word": "Handed over",
        "tone": "success",
        "title": "Welcome, Ann",
        "url": f"/admin/gateway/notification/{row.pk}/change/",
    }
    assert message["at"].endswith("Z")


def test_without_javascript_the_page_shows_the_same_list(client):
    row = NotificationFactory(user=UserFactory(name="Ann <b>Boss</b>"))

    text = client.get(PAGE).content.decode()

    assert f'data-id="{row.pk}"' in text
    assert "Ann &lt;b&gt;Boss&lt;/b&gt;" in text


def test_a_push_has_its_title(client):
    row = NotificationFactory(channel="push")
    CapturedPush.objects.create(
        notification=row, device_id=row.pk, platform="ios", token_tail="abcd", title="On its way", body=""
    )

    assert messages(client)[0]["title"] == "On its way"


def test_what_is_not_captured_yet_goes_by_the_name_of_its_template(client):
    NotificationFactory()

    assert messages(client)[0]["title"] == "Welcome"


def test_a_message_to_somebody_erased_is_still_told(client):
    row = NotificationFactory()
    Notification.objects.filter(pk=row.pk).update(user_id=row.pk, user_public_id="user-9")

    assert messages(client)[0]["person"] == "user-9"


def test_the_newest_come_first_and_old_ones_not_at_all(client):
    rows = NotificationFactory.create_batch(start_page.LAST + 2)

    assert [each["id"] for each in messages(client)] == [str(row.pk) for row in reversed(rows)][: start_page.LAST]


def test_the_list_costs_few_queries(client, django_assert_max_num_queries):
    NotificationFactory.create_batch(5)

    with django_assert_max_num_queries(4):
        messages(client)


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "", "unix:"])
def test_strangers_are_led_to_the_admin_and_see_no_messages(client, address):
    response = client.get(PAGE, REMOTE_ADDR=address)

    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert client.get(MESSAGES, REMOTE_ADDR=address).status_code == 404


def test_who_comes_through_a_proxy_is_a_stranger(client):
    assert client.get(PAGE, headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 302


def test_elsewhere_than_locally_there_is_no_start_page(client, settings):
    settings.IS_LOCAL = False

    assert client.get(PAGE).status_code == 302
    assert client.get(MESSAGES).status_code == 404


def test_this_machine_has_an_ipv6_address_too(client):
    assert client.get(PAGE, REMOTE_ADDR="::1").status_code == 200


@pytest.mark.parametrize("path", [PAGE, MESSAGES])
def test_it_can_only_be_read_and_is_not_kept(client, path):
    assert client.post(path).status_code == 405
    assert client.get(path)["Cache-Control"] == "no-store"
