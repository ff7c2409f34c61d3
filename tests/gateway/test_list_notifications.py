"""The list of notifications: who sees which, filters, both orders."""

import pytest

from gateway.statuses import Status
from tests.factories import NotificationFactory, PublishedVersionFactory, UserFactory
from tests.gateway.api_scene import NOTIFICATIONS, client_with_key
from tests.sign_in_scene import caller, give_roles

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return PublishedVersionFactory(template__code="welcome_email")


@pytest.fixture
def ann():
    return UserFactory(external_id="user-123")


@pytest.fixture
def rows(version, ann):
    def row(**fields):
        return NotificationFactory(template_version=version, template=version.template, **fields)

    return {
        "first": row(user=ann, request_id="req-1", priority=8),
        "push": row(channel="push", is_simulated=True),
        "prepared": row(status=Status.CLAIMED, reason="retrying"),
        "doubt": row(status=Status.UNKNOWN, reason="outcome_unknown"),
        "sent": row(user=ann, status=Status.SENT, reason="sent", provider="smtp"),
        "other": row(client="other", user=ann),
        "test": row(mode="test"),
    }


@pytest.fixture
def names(rows):
    """The names of the rows in a list, in its order."""
    known = {str(each.pk): name for name, each in rows.items()}

    def listed(client, query=""):
        answer = client.get(f"{NOTIFICATIONS}?{query}").json()
        return [known[each["id"]] for each in answer["results"]]

    return listed


def test_a_client_sees_its_own_newest_first(names):
    assert names(client_with_key("notifications:read")) == ["sent", "doubt", "prepared", "push", "first"]
    assert names(client_with_key("notifications:read", client="other")) == ["other"]
    assert names(client_with_key("notifications:read", mode="test")) == ["test"]


def test_a_person_sees_what_was_addressed_to_them_by_whomever(names, ann, rows):
    own = caller(ann)

    assert names(own) == ["other", "sent", "first"]
    for name, status in {"other": 200, "sent": 200, "push": 404}.items():
        assert own.get(f"{NOTIFICATIONS}{rows[name].pk}/").status_code == status
        assert own.get(f"{NOTIFICATIONS}{rows[name].pk}/status/").status_code == status
        assert own.get(f"{NOTIFICATIONS}{rows[name].pk}/attempts/").status_code == 403


def test_staff_see_those_of_all_clients(names, rows):
    sam = UserFactory()
    give_roles(sam, "support")

    assert names(caller(sam)) == list(reversed(rows))
    assert caller(sam).get(f"{NOTIFICATIONS}{rows['other'].pk}/events/").status_code == 200


def test_a_role_that_does_not_read_notifications_leaves_them_what_is_their_own(names):
    eve = UserFactory()
    give_roles(eve, "editor")

    assert names(caller(eve)) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=sending", "doubt prepared"),
        ("status=accepted,sent", "sent push first"),
        ("reason=retrying", ""),
        ("reason=sending", "prepared"),
        ("notification_type=push", "push"),
        ("user_id=user-123", "sent first"),
        ("user_id=nobody", ""),
        ("template_code=welcome_email&template_version=1&status=sent", "sent"),
        ("template_version=2", ""),
        ("request_id=req-1", "first"),
        ("priority=high", "first"),
        ("priority=8,5&provider=smtp", "sent"),
        ("simulated=true", "push"),
        ("created_after=2100-01-01T00:00:00Z", ""),
        ("ordering=created_at", "first push prepared doubt sent"),
    ],
)
def test_it_can_be_narrowed(names, query, found):
    assert names(client_with_key("notifications:read"), query) == found.split()


def test_people_are_found_by_our_id_too(names, ann):
    assert names(client_with_key("notifications:read"), f"user_id={ann.pk}") == ["sent", "first"]


@pytest.mark.parametrize(
    "query",
    ["status=claimed", "priority=urgent", "template_version=x", "simulated=1", "ordering=status", "client=shop"],
)
def test_bad_filters_are_named(query):
    answer = client_with_key("notifications:read").get(f"{NOTIFICATIONS}?{query}")

    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"?{query.partition('=')[0]}"]


@pytest.mark.parametrize("ordering", ["created_at", "-created_at"])
def test_pages_lead_there_and_back_in_both_orders(rows, ordering):
    shop = client_with_key("notifications:read")
    whole = [each["id"] for each in shop.get(f"{NOTIFICATIONS}?ordering={ordering}").json()["results"]]

    pages, path = [], f"{NOTIFICATIONS}?page_size=2&ordering={ordering}"
    while path:
        pages.append(shop.get(path).json())
        path = pages[-1]["next"]
    assert [each["id"] for page in pages for each in page["results"]] == whole
    assert pages[0]["previous"] is None
    assert shop.get(pages[2]["previous"]).json()["results"] == pages[1]["results"]
    assert shop.get(shop.get(pages[2]["previous"]).json()["previous"]).json()["results"] == pages[0]["results"]


def test_the_list_costs_the_same_for_any_number(rows, django_assert_max_num_queries):
    shop = client_with_key("notifications:read")
    shop.get(NOTIFICATIONS)

    with django_assert_max_num_queries(5):  # one of them, whose key it is, once a second
        assert len(shop.get(NOTIFICATIONS).json()["results"]) == 5


def test_the_reasons_of_every_status_are_listed():
    from gateway.reasons import REASONS

    answer = client_with_key("services:read").get("/api/v1/reasons/").json()
    assert {each["code"] for each in answer["results"]} == set(REASONS)
    assert {each["status"] for each in answer["results"] if each["code"] == "waiting"} == {"accepted", "queued"}
    assert (answer["next"], answer["previous"]) == (None, None)
