"""Templates by REST: section 12 of the API document."""

from types import SimpleNamespace

import pytest

from templates_app import usage
from templates_app.models import Template
from tests.factories import NotificationFactory, TemplateFactory
from tests.gateway.api_scene import findings, refusal
from tests.templates_app.api_scene import (
    MAIL,
    NAME,
    TEMPLATES,
    create,
    editor,
    path_of,
    publisher,
    reader,
    send,
    version_path,
)
from users import lately

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    lately.forget()
    yield
    lately.forget()


@pytest.fixture
def owner(db):
    return publisher()


@pytest.fixture
def shipped(owner):
    response = create(owner)
    assert response.status_code == 201, response.content
    return response.json()


# --- create -----------------------------------------------------------------------------------------------------------
def test_a_template_is_made_and_published_in_one_call(owner):
    response = create(owner)

    assert response.status_code == 201
    assert response["Location"] == path_of()
    assert response["ETag"].startswith('"')
    made = response.json()
    assert {
        name: made[name] for name in ("code", "live_version", "draft_version", "channels", "locales", "status")
    } == {
        "code": "order_shipped",
        "live_version": 1,
        "draft_version": None,
        "channels": ["email"],
        "locales": ["en"],
        "status": "active",
    }
    assert made["variables"] == [NAME | {"default": None, "description": "", "sensitive": False}]
    assert made["links"]["preview"] == path_of(rest="preview/")
    assert (made["layout"], made["ttl_seconds"], made["on_unknown"]) == ("default", None, "resend")


def test_only_the_code_is_required(owner):
    made = send(owner, "POST", TEMPLATES, {"code": "bare"}).json()

    assert (made["name"], made["category"], made["default_locale"]) == ("bare", "updates", "en")
    assert (made["live_version"], made["draft_version"], made["variables"]) == (None, None, [])


def test_a_draft_may_come_with_it(owner):
    made = create(owner, publish=...).json()

    assert (made["live_version"], made["draft_version"]) == (None, 1)


def test_what_cannot_be_published_is_not_made_at_all(owner):
    response = create(owner, contents={"en": {"email": {"subject": "{{ nmae }}", "html": "<p>x</p>"}}})

    assert refusal(response) == (422, "publish_blocked")
    codes = {(each["code"], each["path"], each["line"]) for each in response.json()["findings"]}
    assert codes == {("variable_unknown", "contents/en/email/subject", 1)}
    assert not Template.objects.exists()


def test_a_taken_code_is_a_conflict(owner, shipped):
    response = create(owner)

    assert findings(response, 409, "conflict") == [("/code", "not_unique")]
    assert response.json()["existing_id"] == shipped["id"]


def test_publishing_needs_its_own_scope(db):
    response = create(editor())

    assert refusal(response) == (403, "insufficient_scope")
    assert response.json()["required_scope"] == "templates:publish"
    assert create(editor(), publish=False).status_code == 201


def test_reading_is_not_writing(db):
    assert refusal(create(reader())) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "Not a code"}, [("/code", "invalid")]),
        ({"code": "preview"}, [("/code", "invalid")]),
        ({"code": ...}, [("/code", "required")]),
        ({"colour": "red"}, [("/colour", "unknown_field")]),
        ({"name": "n" * 201}, [("/name", "too_long")]),
        ({"description": "d\x07"}, [("/description", "invalid")]),
        ({"category": "nothing"}, [("/category", "invalid_choice")]),
        ({"layout": "nothing"}, [("/layout", "invalid_choice")]),
        ({"default_locale": "german!"}, [("/default_locale", "invalid")]),
        ({"ttl_seconds": 59}, [("/ttl_seconds", "out_of_range")]),
        ({"ttl_seconds": 2_592_001}, [("/ttl_seconds", "out_of_range")]),
        *(({"ttl_seconds": each}, [("/ttl_seconds", "invalid")]) for each in ("60", 60.0, True, "x")),
        *(({"publish": each}, [("/publish", "invalid")]) for each in ("yes", "true", 1, "x")),
        ({"on_unknown": "maybe"}, [("/on_unknown", "invalid_choice")]),
        ({"contents": []}, [("/contents", "invalid")]),
        ({"contents": {"!": {}}}, [("/contents/!", "invalid")]),
        ({"contents": {"pt-br": {}, "pt-BR": {"email": MAIL}, "PT-BR": {}}}, [("/contents/PT-BR", "not_unique")]),
        ({"contents": {"en": {"sms": {}}}}, [("/contents/en/sms", "unknown_field")]),
        ({"contents": {"en": {"email": {"title": "x"}}}}, [("/contents/en/email/title", "unknown_field")]),
        ({"contents": {"en": {"email": {"subject": "s" * 256}}}}, [("/contents/en/email/subject", "too_long")]),
        ({"contents": {"en": {"email": {"subject": "a\nb"}}}}, [("/contents/en/email/subject", "invalid")]),
        ({"contents": {"en": {"email": {"html": "x" * 262_145}}}}, [("/contents/en/email/html", "too_long")]),
        ({"contents": {"en": {"push": {"body": "b" * 2001}}}}, [("/contents/en/push/body", "too_long")]),
        ({"contents": {"en": {"push": {"data": {"n": 1}}}}}, [("/contents/en/push/data/n", "invalid")]),
        ({"contents": {f"de-x-{n}": {} for n in range(61)}}, [("/contents", "too_many")]),
        ({"variables": [{"name": "Not a name"}]}, [("/variables/0/name", "invalid")]),
        ({"variables": [{"name": "a"}, {"name": "a"}]}, [("/variables/1/name", "not_unique")]),
        ({"variables": [{"name": f"v{n}"} for n in range(101)]}, [("/variables", "too_many")]),
    ],
)
def test_wrong_shapes_are_named(owner, changes, expected):
    assert findings(create(owner, **changes)) == expected
    assert not Template.objects.exists()


def test_bodies_may_have_a_megabyte(owner):
    html = "<p>" + "x" * 200_000 + "</p>"
    contents = {locale: {"email": MAIL | {"html": html}} for locale in ("en", "de", "fr")}
    assert create(owner, contents=contents).status_code == 201
    many = {f"{locale}": {"email": MAIL | {"html": html}} for locale in ("en", "de", "fr", "es", "it", "pt")}
    assert refusal(create(owner, code="other", contents=many)) == (413, "payload_too_large")


# --- read -------------------------------------------------------------------------------------------------------------
def test_a_template_is_found_by_code_and_by_id(owner, shipped):
    by_code, by_id = owner.get(path_of()), owner.get(path_of(shipped["id"]))

    assert by_code.json() == by_id.json() == shipped
    assert by_code["ETag"] == by_id["ETag"]
    assert by_code["Cache-Control"] == "no-store"
    for nobody in ("nothing", "0" * 36, "x y"):
        assert refusal(owner.get(path_of(nobody))) == (404, "not_found")


def test_the_list_is_narrowed(owner, shipped):
    create(owner, code="bye", name="Farewell", category="marketing", publish=False)
    TemplateFactory(code="old", is_archived=True)

    def codes(query=""):
        response = owner.get(f"{TEMPLATES}{query}")
        assert response.status_code == 200, response.content
        return [each["code"] for each in response.json()["results"]]

    assert codes() == ["bye", "order_shipped"]
    assert codes("?status=archived") == ["old"]
    assert codes("?status=active,archived&code=old,bye") == ["old", "bye"]
    assert codes("?category=marketing") == ["bye"]
    assert codes("?channel=email&locale=en") == ["order_shipped"]
    assert codes("?channel=push") == codes("?locale=de") == []
    assert codes("?search=FARE") == codes("?search=by") == ["bye"]
    assert codes("?created_after=2999-01-01T00:00:00Z") == []
    assert findings(owner.get(f"{TEMPLATES}?status=lost&created_before=x&colour=red")) == [("?colour", "unknown_field")]
    assert findings(owner.get(f"{TEMPLATES}?channel=email,sms")) == [("?channel", "invalid_choice")]
    assert findings(owner.get(f"{TEMPLATES}?status=lost")) == [("?status", "invalid_choice")]


def test_a_list_asks_the_database_as_often_for_many(owner, shipped, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr("users.lately.time", SimpleNamespace(monotonic=lambda: 1.0))  # the key is known all along
    for n in range(5):
        create(owner, code=f"more_{n}")
    with django_assert_max_num_queries(6):
        assert len(owner.get(TEMPLATES).json()["results"]) == 6


# --- change and archive -----------------------------------------------------------------------------------------------
def test_everything_but_words_can_be_changed(owner, shipped):
    response = send(owner, "PATCH", path_of(), {"name": "Gone", "ttl_seconds": 600, "on_unknown": "hold"})

    assert response.status_code == 200
    assert {name: response.json()[name] for name in ("name", "ttl_seconds", "on_unknown")} == {
        "name": "Gone",
        "ttl_seconds": 600,
        "on_unknown": "hold",
    }
    assert send(owner, "PATCH", path_of(), {"ttl_seconds": None, "name": None}).json()["ttl_seconds"] is None
    assert findings(send(owner, "PATCH", path_of(), {"contents": {}})) == [("/contents", "unknown_field")]


def test_the_code_changes_until_something_was_sent(owner, shipped):
    assert send(owner, "PATCH", path_of(), {"code": "parcel_left"}).json()["code"] == "parcel_left"
    template = Template.objects.get()
    NotificationFactory(template=template, template_version=template.live_version)

    assert refusal(send(owner, "PATCH", path_of("parcel_left"), {"code": "other"})) == (409, "code_locked")


def test_a_request_that_was_only_told_of_locks_the_code_too(owner, shipped):
    template = Template.objects.get()
    usage.tell_use(template_id=template.pk, version_id=template.live_version_id, client="shop", names=["name"])

    assert refusal(send(owner, "PATCH", path_of(), {"code": "other"})) == (409, "code_locked")
    assert owner.get(version_path(1)).json()["sent_count"] == 1


def test_another_template_may_have_the_code(owner, shipped):
    create(owner, code="other")
    assert refusal(send(owner, "PATCH", path_of("other"), {"code": "order_shipped"})) == (409, "conflict")


def test_deleting_archives(owner, shipped):
    assert owner.delete(path_of()).status_code == 204
    assert owner.delete(path_of()).status_code == 204
    assert owner.get(path_of()).json()["status"] == "archived"
    assert owner.get(version_path(1)).status_code == 200
    assert refusal(create(owner)) == (409, "conflict")
    assert send(owner, "PATCH", path_of(), {"status": "active"}).json()["status"] == "active"


def test_a_stale_etag_is_refused_with_the_present_one(owner, shipped):
    seen = owner.get(path_of())["ETag"]
    changed = send(owner, "PATCH", path_of(), {"name": "One"}, **{"If-Match": seen})
    assert changed.status_code == 200

    late = send(owner, "PATCH", path_of(), {"name": "Two"}, **{"If-Match": seen})
    assert refusal(late) == (412, "precondition_failed")
    assert late["ETag"] == changed["ETag"] == owner.get(path_of())["ETag"]
    assert send(owner, "DELETE", path_of(), **{"If-Match": seen}).status_code == 412
    assert send(owner, "PATCH", path_of(), {"name": "Two"}, **{"If-Match": "*"}).status_code == 200


# --- preview ----------------------------------------------------------------------------------------------------------
def test_a_preview_of_the_live_version(owner, shipped):
    asked = {"version": "live", "locale": "de", "notification_type": "email", "variables": {"name": "Ann <3"}}
    response = send(reader(), "POST", path_of(rest="preview/"), asked)

    assert response.status_code == 200, response.content
    assert response.json() == {
        "template_code": "order_shipped",
        "version": 1,
        "locale": "en",
        "notification_type": "email",
        "rendered": {
            "subject": "On its way, Ann <3",
            "preheader": "",
            "html": "<p>Hi Ann &lt;3</p>",
            "text": "Hi Ann <3",
        },
        "findings": [],
    }


def test_the_same_by_the_code_in_the_body(owner, shipped):
    asked = {"template_code": "order_shipped", "variables": {"name": "Ann"}}
    response = send(owner, "POST", f"{TEMPLATES}preview/", asked)
    assert response.json()["rendered"]["subject"] == "On its way, Ann"
    assert refusal(send(owner, "POST", f"{TEMPLATES}preview/", asked | {"template_code": "no"})) == (
        422,
        "template_not_found",
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"variables": {}}, "variables_invalid"),
        ({"variables": {"name": 1}}, "variables_invalid"),
        ({"version": 7, "variables": {"name": "Ann"}}, "template_version_not_found"),
        ({"version": "draft", "variables": {"name": "Ann"}}, "template_version_not_found"),
        ({"notification_type": "push", "variables": {"name": "Ann"}}, "channel_not_in_template"),
    ],
)
def test_what_cannot_be_previewed(owner, shipped, asked, code):
    assert refusal(send(owner, "POST", path_of(rest="preview/"), asked)) == (422, code)


def test_everything_that_is_wrong_with_a_preview_is_told_at_once(owner):
    asked = {"template_code": "x", "version": "live", "locale": 5, "content": {"title": "no mail has one"}}
    response = send(owner, "POST", f"{TEMPLATES}preview/", asked | {"notification_type": "email"})

    found = {each["pointer"] for each in response.json()["errors"]}
    assert {"/template_code", "/version", "/locale"} < found
    assert any(place.startswith("/content") for place in found)


def test_loose_words_take_any_variable(owner):
    asked = {
        "content": {"subject": "Hi {{ you }}", "html": "<img src='http://a.example/x'>"},
        "variables": {"you": "Ann"},
    }
    answer = send(owner, "POST", f"{TEMPLATES}preview/", asked).json()

    assert (answer["template_code"], answer["version"], answer["notification_type"]) == (None, None, "email")
    assert answer["rendered"]["subject"] == "Hi Ann"
    assert [each["code"] for each in answer["findings"]] == ["image_without_alt", "http_link"]


def test_loose_words_of_a_push(owner):
    answer = send(owner, "POST", f"{TEMPLATES}preview/", {"content": {"title": "A", "body": "B"}}).json()
    assert answer["rendered"] == {"title": "A", "body": "B", "image": "", "link": "", "data": {}}


def test_an_error_in_the_words_names_its_line(owner):
    response = send(owner, "POST", f"{TEMPLATES}preview/", {"content": {"subject": "x", "html": "a\n{% load x %}"}})

    assert findings(response, 422, "template_error") == [("/content/html", "syntax")]
    assert response.json()["errors"][0]["line"] == 2


def test_a_preview_needs_a_template_or_words(owner):
    assert findings(send(owner, "POST", f"{TEMPLATES}preview/", {})) == [("/template_code", "required")]
    assert findings(send(owner, "POST", f"{TEMPLATES}preview/", {"content": {"x": 1}})) == [
        ("/content/x", "unknown_field")
    ]
