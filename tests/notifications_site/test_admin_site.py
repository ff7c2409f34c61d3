"""The frame of the admin pages: badge, sidebar, first page."""

import html
import re

import pytest
from django.test import RequestFactory

from notifications_site.admin_site import environment_badge, sidebar
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import NotificationFactory, PublishedVersionFactory, UserFactory

pytestmark = pytest.mark.django_db


def titles(person, path="/admin/"):
    """What this person finds in the sidebar, and what of it is marked as the current page."""
    request = RequestFactory().get(path)
    request.user = person
    items = [item for group in sidebar(request) for item in group["items"]]
    visible = [item for item in items if item.get("permission", lambda _: True)(request)]
    return [str(item["title"]) for item in visible], [str(item["title"]) for item in visible if item["active"](request)]


def test_the_owner_finds_every_page():
    assert titles(owner())[0] == [
        "Start",
        "Templates",
        "Layouts",
        "Captured messages",
        "Notifications",
        "People",
        "Suppressions",
        "Dead letters",
        "API keys",
        "Callbacks",
        "API docs",
        "Providers & breakers",
        "Live services",
        "Alerts",
        "Staff & roles",
        "Failed sign-ins",
        "Categories",
        "Audit log",
    ]


def test_every_page_of_the_sidebar_opens_for_the_owner():
    client = signed_in(owner())
    links = set(re.findall(r'href="(/admin/[a-z_/]+)" class="flex h-\[38px\]', page(client, "/admin/")))
    assert len(links) == 16
    for link in links:
        page(client, link)


@pytest.mark.parametrize(
    ("permission", "found"),
    [
        ("gateway.view_notification", "Notifications"),
        ("gateway.view_deadletter", "Dead letters"),
        ("users.view_user", "People"),
        ("users.change_user", "People"),
        ("templates_app.view_template", "Templates"),
        ("templates_app.view_layout", "Layouts"),
        ("channels_push.view_capturedpush", "Captured messages"),
        ("consumers.view_serviceinstance", "Live services"),
    ],
)
def test_staff_find_only_what_they_may_see(permission, found):
    assert set(titles(staff(permission))[0]) == {"Start", "API docs", found}


def test_captured_messages_are_offered_only_while_something_is_captured(settings):
    settings.EMAIL_PROVIDERS, settings.PUSH_PROVIDERS = ["smtp"], ["fcm"]
    assert "Captured messages" not in titles(owner())[0]


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/admin/", ["Start"]),
        ("/admin/gateway/notification/1/change/", ["Notifications"]),
        ("/admin/gateway/deadletter/", ["Dead letters"]),
        ("/admin/templates_app/template/1/editor/", ["Templates"]),
        ("/admin/channels_push/capturedpush/", ["Captured messages"]),
    ],
)
def test_the_sidebar_marks_the_one_page_you_are_on(path, marked):
    assert titles(owner(), path)[1] == marked


def test_the_path_above_a_list_says_what_the_sidebar_says():
    person = owner()
    client, request = signed_in(person), RequestFactory().get("/admin/")
    request.user = person
    said = {}
    for group in sidebar(request):
        for item in group["items"]:
            head = re.search(r"<h1.*?</h1>", page(client, item["link"]), re.DOTALL)
            if head and item["link"] != "/admin/":
                words = re.sub(r"<[^>]+>|chevron_right", " ", head[0])
                said[f"{group['title']} {item['title']}"] = " ".join(html.unescape(words).split())
    assert said.pop("Content Captured messages") == "Captured e-mails"  # one place for two lists
    assert said.pop("Operations Providers & breakers") == "Providers & breakers"  # a page, no list
    assert "Administration Staff & roles" in said
    assert {expected: found for expected, found in said.items() if expected != found} == {}


@pytest.mark.parametrize(
    ("environment", "providers", "badge"),
    [
        ("local", ["capture"], ["Local · mail is captured", "info"]),
        ("local", ["smtp"], ["Local · mail is sent", "danger"]),
        ("staging", ["smtp"], ["Staging", "warning"]),
        ("production", ["smtp"], ["Production", "danger"]),
    ],
)
def test_the_badge_says_whether_mail_leaves_the_house(settings, environment, providers, badge):
    settings.ENVIRONMENT, settings.EMAIL_PROVIDERS = environment, providers
    assert environment_badge(RequestFactory().get("/admin/")) == badge


def test_the_first_page_says_what_to_do_and_shows_the_latest():
    client = signed_in(owner())
    version = PublishedVersionFactory()
    for number in range(12):
        NotificationFactory(template_version=version, user=UserFactory(name=f"Person {number:02}"))
    text = page(client, "/admin/")
    assert "curl -X POST" in text
    assert "Person 11" in text
    assert "Person 02" in text
    assert "Person 01" not in text


def test_the_first_page_asks_little_and_counts_nothing():
    client = signed_in(owner())
    NotificationFactory.create_batch(10, template_version=PublishedVersionFactory())
    asked = queries_of(client, "/admin/")
    assert len(asked) <= MOST_QUERIES
    assert not [sql for sql in asked if "COUNT(" in sql]


def test_the_first_page_shows_no_notifications_to_who_may_not_see_them():
    NotificationFactory(user=UserFactory(name="Secretive"))
    assert "Secretive" not in page(signed_in(staff()), "/admin/")


def test_no_page_loads_anything_from_elsewhere_or_has_a_script_inside():
    text = page(signed_in(owner()), "/admin/")
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert not re.findall(r"<script(?![^>]*\bsrc=)", text)
    assert not re.findall(r"<[^>]*\son[a-z]+=", text)


def test_codes_in_the_path_of_a_page_keep_their_small_letters():
    version = PublishedVersionFactory(template__code="order_shipped")
    text = page(signed_in(owner()), f"/admin/templates_app/template/{version.template_id}/change/")
    assert ">order_shipped</a>" in text
    assert "Order_shipped" not in text


def test_signing_in_leads_to_the_first_page(client):
    person = owner()
    person.set_password("correct horse battery")
    person.save()
    answer = client.post("/admin/login/", {"username": person.email, "password": "correct horse battery"})
    assert answer.url == "/admin/"
