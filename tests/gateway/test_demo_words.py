"""The demo's templates and people are data; these tests read them as the seeding does."""

import re
from html import unescape
from pathlib import Path
from zoneinfo import available_timezones

import pytest
import yaml

GATEWAY = Path(__file__).resolve().parents[2] / "gateway"
TEMPLATES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (GATEWAY / "demo_templates").glob("*.yaml")}
PEOPLE = yaml.safe_load((GATEWAY / "demo_people.yaml").read_text("utf-8"))
CONTENTS = [
    pytest.param(template, locale, content, id=f"{code}-{locale}")
    for code, template in sorted(TEMPLATES.items())
    for locale, content in template["contents"].items()
]

TEMPLATE_KEYS = [
    "code", "name", "description", "category", "default_locale", "ttl_seconds", "on_unknown", "variables", "contents",
]  # fmt: skip
VARIABLE_KEYS = ["name", "type", "required", "default", "example", "description", "sensitive"]
PERSON_KEYS = ["external_id", "name", "email", "locale", "timezone", "devices", "channels"]
EMAIL_KEYS = ["subject", "preheader", "html", "text"]
PUSH_KEYS = ["title", "body", "image", "link", "data"]
WITH_TEXT = {"welcome_email", "password_reset"}

PLACEHOLDER = re.compile(r"\{\{ (\w+) \}\}")
DELIMITERS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def strings_of(value):
    if isinstance(value, dict):
        return [text for each in value.values() for text in strings_of(each)]
    return [value] if isinstance(value, str) else []


def placeholders_of(value):
    return {name for text in strings_of(value) for name in PLACEHOLDER.findall(text)}


def declared(template):
    return {variable["name"] for variable in template["variables"]}


def frame_of(html):
    """What is the same in every mail: all before the first heading, without language, direction and title."""
    frame = html.partition("<h1")[0]
    return re.sub(r'lang="\w+" dir="\w+"|<title>.*?</title>', "", frame)


def visible(html):
    return unescape(re.sub(r"<[^>]*>", "", STYLE.sub("", html)))


def test_the_demo_has_the_four_templates_in_their_languages():
    assert {code: sorted(template["contents"]) for code, template in TEMPLATES.items()} == {
        "welcome_email": ["ar", "de", "en", "es", "fr"],
        "password_reset": ["ar", "de", "en", "es", "fr"],
        "order_shipped": ["ar", "de", "en", "es", "fr"],
        "weekly_news": ["de", "en", "fr"],
    }


@pytest.mark.parametrize("code", sorted(TEMPLATES))
def test_a_template_has_exactly_the_known_keys_in_order(code):
    template = TEMPLATES[code]
    assert list(template) == TEMPLATE_KEYS
    assert template["code"] == code
    assert template["default_locale"] in template["contents"]
    assert all(list(variable) == VARIABLE_KEYS for variable in template["variables"])


@pytest.mark.parametrize(("template", "locale", "content"), CONTENTS)
def test_content_has_exactly_the_known_fields(template, locale, content):
    email_keys = EMAIL_KEYS if template["code"] in WITH_TEXT else EMAIL_KEYS[:3]
    assert list(content["email"]) == email_keys
    assert list(content.get("push", PUSH_KEYS)) == PUSH_KEYS


def test_category_and_lifetime_are_those_of_the_api_document():
    facts = {code: (template["category"], template["ttl_seconds"]) for code, template in TEMPLATES.items()}
    assert facts == {
        "welcome_email": ("updates", None),
        "password_reset": ("security", 600),
        "order_shipped": ("updates", None),
        "weekly_news": ("marketing", None),
    }


def test_only_links_that_open_an_account_are_sensitive():
    sensitive = {
        (code, each["name"])
        for code, template in TEMPLATES.items()
        for each in template["variables"]
        if each["sensitive"]
    }
    assert sensitive == {("welcome_email", "verification_link"), ("password_reset", "link")}


@pytest.mark.parametrize(("template", "locale", "content"), CONTENTS)
def test_every_placeholder_is_declared_and_every_variable_is_used(template, locale, content):
    assert placeholders_of(content["email"]) == declared(template)
    assert placeholders_of(content.get("push", {})) <= declared(template)


@pytest.mark.parametrize(("template", "locale", "content"), CONTENTS)
def test_explicit_text_says_as_much_as_the_html(template, locale, content):
    email = content["email"]
    if "text" in email:
        assert placeholders_of({"text": email["text"]}) == placeholders_of({"html": email["html"]})


@pytest.mark.parametrize(("template", "locale", "content"), CONTENTS)
def test_delimiters_stand_only_around_placeholders(template, locale, content):
    for text in strings_of(content):
        assert DELIMITERS.findall(PLACEHOLDER.sub("", text)) == []  # CSS ends in "}}" or "%}" all too easily


@pytest.mark.parametrize("code", sorted(TEMPLATES))
def test_every_locale_has_the_same_channels(code):
    channels = {tuple(content) for content in TEMPLATES[code]["contents"].values()}
    assert channels == {("email", "push") if code == "order_shipped" else ("email",)}


@pytest.mark.parametrize(("template", "locale", "content"), CONTENTS)
def test_html_names_its_language_and_direction(template, locale, content):
    direction = "rtl" if locale == "ar" else "ltr"
    html = content["email"]["html"]
    assert f'<html lang="{locale}" dir="{direction}">' in html
    assert f'<table role="presentation" lang="{locale}" dir="{direction}"' in html  # mail programs drop the html tag


@pytest.mark.parametrize(("template", "locale", "content"), CONTENTS)
def test_html_is_small_and_readable_by_all(template, locale, content):
    html = content["email"]["html"]
    assert len(html.encode()) < 10_000
    assert html.count("<table") == html.count('<table role="presentation"')
    assert html.count("<h1") == 1
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 620px" in html


@pytest.mark.parametrize(("template", "locale", "content"), CONTENTS)
def test_nothing_is_fetched_from_outside(template, locale, content):
    html = content["email"]["html"]
    assert not re.search(r"<(img|link|script|iframe)\b|url\(|@import|@font-face|\bsrc=|background=", html)
    hosts = {host for text in strings_of(content) for host in re.findall(r"(?:https?:)?//([^/\s\"'<]+)", text)}
    assert all(host == "harbour.example" or host.endswith((".example.com", ".example.org")) for host in hosts)


@pytest.mark.parametrize(("template", "locale", "content"), CONTENTS)
def test_short_fields_fit_their_limits(template, locale, content):
    email, push = content["email"], content.get("push")
    assert 0 < len(email["subject"]) < 255
    assert 0 < len(email["preheader"]) < 255
    if push:
        assert 0 < len(push["title"]) <= 65
        assert 0 < len(push["body"]) <= 240
        assert all(isinstance(value, str) for value in push["data"].values())


def test_all_mails_share_one_frame():
    frames = {
        frame_of(content["email"]["html"])
        for template in TEMPLATES.values()
        for content in template["contents"].values()
    }
    assert len(frames) == 1


@pytest.mark.parametrize("code", sorted(TEMPLATES))
def test_french_puts_no_break_spaces_before_double_punctuation(code):
    content = TEMPLATES[code]["contents"]["fr"]
    email = content["email"] | {"html": visible(content["email"]["html"])}
    words = "\n".join([*strings_of(email), *strings_of(content.get("push", {}))])
    assert re.findall(r"[^\u00a0][?!;:»]", words.replace("https:", "")) == []


def test_arabic_uses_its_own_comma_and_question_mark():
    for template in TEMPLATES.values():
        if "ar" in template["contents"]:
            content = template["contents"]["ar"]
            words = "\n".join([*strings_of({**content["email"], "html": ""}), visible(content["email"]["html"])])
            assert re.findall(r"[\u0600-\u06ff}][,;?]", words) == []


def test_the_newsletter_says_how_to_stop_it():
    words = {"en": "unsubscribe at any time", "de": "jederzeit abbestellen", "fr": "vous désabonner à tout moment"}
    for locale, phrase in words.items():
        assert phrase in TEMPLATES["weekly_news"]["contents"][locale]["email"]["html"]


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
