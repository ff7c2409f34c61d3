"""`POST /api/v1/notifications/`: what is accepted, and what the answer says."""

import re
import uuid

import pytest

from gateway.priorities import NAMES
from tests.factories import UserFactory
from tests.gateway.api_scene import (
    PUBLISHED,
    WELCOME_WORDS,
    client_with_key,
    findings,
    is_now,
    next_version,
    post,
    request_body,
    row,
    submit,
    template,
)
from users.models import User

pytestmark = pytest.mark.django_db

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


# --- the published request --------------------------------------------------------------------------------------------


def test_the_published_request_is_accepted(shop, ann, welcome):
    response = post(shop, PUBLISHED)

    assert response.status_code == 202
    assert response["Content-Type"] == "application/json"
    assert "Idempotency-Replayed" not in response
    answer = response.json()
    own = f"/api/v1/notifications/{answer['id']}/"
    assert response["Location"] == own
    assert MOMENT.fullmatch(answer["available_at"])
    assert is_now(answer["available_at"])
    assert answer == {
        "id": str(uuid.UUID(answer["id"])),
        "request_id": "req-123456",
        "status": "accepted",
        "reason": "waiting",
        "available_at": answer["available_at"],
        "simulated": False,
        "warnings": [],
        "links": {"self": own, "status": f"{own}status/"},
    }


def test_what_was_accepted_is_stored(shop, ann, welcome):
    stored = row(post(shop, PUBLISHED).json())

    assert (stored.client, stored.mode, stored.request_id) == ("shop", "live", "req-123456")
    assert (stored.channel, stored.user_id, stored.user_public_id) == ("email", ann.pk, "user-123")
    assert (stored.template_id, stored.template_version_id) == (welcome.pk, welcome.live_version_id)
    assert stored.variables == {"name": "John Doe", "verification_link": "https://app.example.com/verify/abc123"}
    assert (stored.priority, stored.status, stored.category_code) == (8, "accepted", "updates")
    assert stored.pk.version == 7


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_row_is_committed_before_the_answer(shop):
    """In earnest there is no transaction around a request; an answer cannot be taken back."""
    answer = post(shop, PUBLISHED).json()

    assert row(answer).request_id == "req-123456"


def test_the_links_lead_somewhere(shop):
    response = post(shop, PUBLISHED)

    assert shop.get(response["Location"]).json()["id"] == response.json()["id"]
    for link in response.json()["links"].values():
        assert shop.get(link).status_code == 200


def test_a_test_key_is_marked(ann, welcome):
    answer = submit(client_with_key(mode="test"))

    assert answer["simulated"] is True
    assert row(answer).mode == "test"


def test_the_person_may_be_named_by_our_id(shop, ann):
    assert row(submit(shop, user_id=str(ann.pk))).user_id == ann.pk


def test_a_clients_own_id_is_tried_first(shop, ann):
    other = UserFactory(external_id=str(ann.pk), email="other@example.com")

    assert row(submit(shop, user_id=str(ann.pk))).user_id == other.pk


@pytest.fixture
def plain():
    return template("plain", variables=[], contents={("en", "email"): {"subject": "Hello", "html": "<p>Hello</p>"}})


def test_only_three_members_are_needed(shop, plain):
    answer = post(shop, {"notification_type": "email", "user_id": "user-123", "template_code": "plain"}).json()

    stored = row(answer)
    assert answer["request_id"] is None
    assert (stored.priority, stored.variables, stored.metadata) == (5, {}, {})


def test_null_counts_as_absent(shop, plain):
    optional = [
        "variables",
        "request_id",
        "priority",
        "template_version",
        "locale",
        "send_at",
        "expires_at",
        "metadata",
    ]

    stored = row(submit(shop, **dict.fromkeys([*optional, "metadata"]), template_code="plain"))

    assert (stored.request_id, stored.priority, stored.send_at, stored.metadata) == (None, 5, None, {})


def test_without_a_request_id_every_request_is_a_new_one(shop):
    assert submit(shop, request_id=...)["id"] != submit(shop, request_id=...)["id"]


# --- priority ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "number"),
    [("low", 2), ("normal", 5), ("high", 8), ("critical", 10), ("HIGH", 8), ("Low", 2), (0, 0), (10, 10), (7, 7)],
)
def test_priorities_are_numbers_or_words(shop, given, number):
    assert row(submit(shop, priority=given)).priority == number


@pytest.mark.parametrize("given", ["8", "urgent", "", 8.0, 8.5, True, False, [8], {"high": 8}])
def test_what_is_no_priority_is_refused(shop, given):
    assert findings(post(shop, request_body(priority=given))) == [("/priority", "invalid")]


@pytest.mark.parametrize("given", [-1, 11, 10**30])
def test_priorities_have_bounds(shop, given):
    assert findings(post(shop, request_body(priority=given))) == [("/priority", "out_of_range")]


def test_the_refusal_names_the_words(shop):
    detail = post(shop, request_body(priority="urgent")).json()["errors"][0]["detail"]

    assert all(word in detail for word in NAMES)


# --- which words ------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_languages():
    contents = {(locale, "email"): WELCOME_WORDS for locale in ["en", "de", "pt", "pt-PT", "fr"]}
    pushes = {(locale, "push"): {"title": "Hej", "body": "{{ name }}"} for locale in ["en", "sv"]}
    return template("languages", contents=contents | pushes)


@pytest.mark.parametrize(
    ("requested", "persons", "chosen"),
    [
        (None, "de-AT", "de"),  # the person's language without its region
        (None, "fr", "fr"),
        (None, "xx", "en"),  # the default
        (None, "", "en"),
        ("pt-BR", "de", "pt"),  # the request comes first, and gives up its region
        ("pt-PT", "de", "pt-PT"),
        ("PT-pt", "de", "pt-PT"),  # however it is spelt
        ("xx", "de", "de"),  # then the person
        ("xx", "yy", "en"),
        ("sv", "yy", "en"),  # there are Swedish words, but not for e-mail
    ],
)
def test_the_closest_locale_is_chosen(shop, ann, in_languages, requested, persons, chosen):
    User.objects.filter(pk=ann.pk).update(locale=persons)

    assert row(submit(shop, template_code="languages", locale=requested)).locale == chosen


@pytest.mark.parametrize("given", ["", "de_AT", "german!", 5, ["de"], "x" * 36, "de\n"])
def test_what_is_no_locale_is_refused(shop, given):
    [(pointer, _)] = findings(post(shop, request_body(locale=given)))

    assert pointer == "/locale"


def test_the_live_version_is_used(shop, welcome):
    first = row(submit(shop, request_id="1"))
    second_version = next_version(welcome)

    assert row(submit(shop, request_id="2")).template_version_id == second_version.pk
    assert first.template_version.number == 1


def test_a_version_can_be_pinned(shop, welcome):
    next_version(welcome)

    assert row(submit(shop, request_id="1", template_version=1)).template_version.number == 1
    assert row(submit(shop, request_id="2", template_version=2)).template_version.number == 2


@pytest.mark.parametrize("given", [0, -1, 1.0, "1", True, 2**31, [1]])
def test_what_is_no_version_is_refused(shop, given):
    assert findings(post(shop, request_body(template_version=given))) == [("/template_version", "invalid")]


def test_variables_the_template_does_not_know_are_reported(shop):
    variables = {"name": "Ann", "verification_link": "https://example.com", "nickname": "A", "age": 5}

    answer = submit(shop, variables=variables)

    assert [each["code"] for each in answer["warnings"]] == ["variable_unknown", "variable_unknown"]
    assert "age" in answer["warnings"][0]["detail"]
    assert "nickname" in answer["warnings"][1]["detail"]
    assert row(answer).variables.keys() == {"name", "verification_link"}


def test_metadata_is_kept(shop):
    metadata = {"order": "42", "a" * 40: "x" * 500, "": "an empty name", "non_field_errors": "ünïcode"}

    answer = submit(shop, metadata=metadata)

    assert row(answer).metadata == metadata
    assert shop.get(answer["links"]["self"]).json()["metadata"] == metadata
