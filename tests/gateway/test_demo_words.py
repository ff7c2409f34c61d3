"""The demo's templates and people are data; these tests read them as the seeding does."""

import re
from pathlib import Path
from zoneinfo import available_timezones

import pytest
import yaml

from templates_app.examples import read_example

GATEWAY = Path(__file__).resolve().parents[2] / "gateway"
NEWS = yaml.safe_load((GATEWAY / "demo_templates" / "weekly_news.yaml").read_text("utf-8"))
PEOPLE = yaml.safe_load((GATEWAY / "demo_people.yaml").read_text("utf-8"))

PERSON_KEYS = ["external_id", "name", "email", "locale", "timezone", "devices", "channels"]


def test_the_newsletter_has_the_facts_of_the_api_document():
    assert (NEWS["code"], NEWS["category"], NEWS["ttl_seconds"]) == ("weekly_news", "marketing", None)
    assert [each["name"] for each in NEWS["variables"]] == ["name"]
    assert sorted(NEWS["contents"]) == ["de", "en", "fr"]
    assert {tuple(content) for content in NEWS["contents"].values()} == {("email",)}


def test_the_newsletter_says_how_to_stop_it():
    words = {"en": "unsubscribe at any time", "de": "jederzeit abbestellen", "fr": "vous désabonner à tout moment"}
    for locale, phrase in words.items():
        email = NEWS["contents"][locale]["email"]
        assert phrase in email["html"]
        assert "{{ unsubscribe_link }}" in email["html"]
        assert "{{ unsubscribe_link }}" in email["text"]


def test_category_variables_and_lifetime_of_the_others_are_those_of_the_api_document():
    facts = {
        code: (file["category"], file["ttl_seconds"], [each["name"] for each in file["variables"]])
        for code in ("welcome_email", "password_reset", "order_shipped")
        for file in [read_example(code)]
    }
    assert facts == {
        "welcome_email": ("updates", None, ["name", "verification_link"]),
        "password_reset": ("security", 600, ["name", "link"]),
        "order_shipped": ("updates", None, ["name", "order_id", "link"]),
    }


def test_people_have_unique_ids_addresses_and_tokens():
    ids = [person["external_id"] for person in PEOPLE]
    addresses = [person["email"].casefold() for person in PEOPLE if person["email"]]
    tokens = [device["token"] for person in PEOPLE for device in person["devices"]]
    for values in (ids, addresses, tokens):
        assert len(values) == len(set(values))


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person["external_id"])
def test_a_person_is_complete_and_nobody_real(person):
    assert [key for key in person if key != "quiet_hours"] == PERSON_KEYS
    assert re.fullmatch(r"user-[a-z0-9]+", person["external_id"])
    assert re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", person["locale"])
    assert person["timezone"] in available_timezones()
    assert person["email"] is None or re.fullmatch(r"[a-z]+@example\.(com|org)", person["email"])
    assert list(person["channels"]) == ["email", "push"]
    assert all(type(wanted) is bool for wanted in person["channels"].values())


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person["external_id"])
def test_device_tokens_would_pass_the_api(person):
    for device in person["devices"]:
        assert list(device) == ["provider", "kind", "platform", "name", "token"]
        assert (device["provider"], device["kind"]) == ("fcm", "token")
        assert device["platform"] in {"android", "ios", "web"}
        assert re.fullmatch(r"demo-[A-Za-z0-9_:.\-]{8,4000}", device["token"])


def test_the_people_of_the_api_document_are_there():
    people = {person["external_id"]: person for person in PEOPLE}
    ann = people["user-123"]
    assert (ann["name"], ann["email"], ann["locale"], ann["timezone"]) == (
        "Ann",
        "ann@example.com",
        "en",
        "Europe/London",
    )
    assert ann["channels"] == {"email": True, "push": True}
    assert [device["platform"] for device in ann["devices"]] == ["android"]
    assert people["user-quiet"]["quiet_hours"] == {"start": "00:00", "end": "23:59", "timezone": "UTC"}
    assert people["user-optout"]["channels"] == {"email": False, "push": True}


def test_the_people_show_every_case_worth_showing():
    languages = {person["locale"].partition("-")[0] for person in PEOPLE}
    assert {"en", "de", "fr", "ar", "es", "pt", "ja"} <= languages
    assert [person["external_id"] for person in PEOPLE if person["email"] is None] == ["user-tane"]
    assert [person["external_id"] for person in PEOPLE if not person["devices"]] == ["user-ravi"]
    assert [person["external_id"] for person in PEOPLE if "quiet_hours" in person] == ["user-quiet"]
