"""Versions by REST: drafts, publishing, going back, differences."""

import pytest

from templates_app.models import TemplateVersion
from tests.gateway.api_scene import findings, refusal
from tests.templates_app.api_scene import (
    MAIL,
    NAME,
    create,
    editor,
    path_of,
    publisher,
    send,
    version_path,
)
from users import lately

pytestmark = pytest.mark.django_db
VERSIONS = path_of(rest="versions/")


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
    return create(owner).json()


@pytest.fixture
def draft(owner, shipped):
    """Version 2, a copy of version 1."""
    return send(owner, "POST", VERSIONS, {}).json()


def codes(answer):
    return [each["code"] for each in answer["findings"]]


# --- drafts -----------------------------------------------------------------------------------------------------------
def test_an_empty_body_copies_the_live_version(owner, shipped):
    response = send(editor(), "POST", VERSIONS)

    assert response.status_code == 201, response.content
    assert response["Location"] == version_path(2)
    made = response.json()
    assert (made["version"], made["state"], made["created_by"], made["published_at"]) == (2, "draft", "editor", None)
    assert made["contents"] == owner.get(version_path(1)).json()["contents"]
    assert made["variables"][0]["name"] == "name"
    assert owner.get(path_of()).json()["draft_version"] == 2


def test_a_draft_can_be_given_its_words(owner, shipped):
    contents = {"en": {"push": {"title": "Hi", "body": "{{ oops }}", "data": {"screen": "start"}}}}
    made = send(owner, "POST", VERSIONS, {"contents": contents, "note": "Push too"}).json()

    assert made["contents"]["en"]["push"] == {
        "title": "Hi",
        "body": "{{ oops }}",
        "image": "",
        "link": "",
        "data": {"screen": "start"},
    }
    assert (made["variables"], made["note"]) == ([], "Push too")
    assert codes(made) == ["variable_unknown"]


def test_a_draft_can_begin_with_an_older_version(owner, draft):
    changed = {"contents": {"en": {"email": MAIL | {"subject": "Other"}}}}
    send(owner, "PATCH", version_path(2), changed)
    send(owner, "POST", version_path(2, "publish/"), {})

    made = send(owner, "POST", VERSIONS, {"from_version": 1}).json()
    assert (made["version"], made["contents"]["en"]["email"]["subject"]) == (3, "On its way, {{ name }}")


def test_what_a_draft_cannot_begin_with(owner, shipped):
    assert refusal(send(owner, "POST", VERSIONS, {"from_version": 9})) == (422, "template_version_not_found")
    assert findings(send(owner, "POST", VERSIONS, {"from_version": "1"})) == [("/from_version", "invalid")]
    both = {"from_version": 1, "contents": {}}
    assert findings(send(owner, "POST", VERSIONS, both)) == [("/from_version", "invalid")]
    assert findings(send(owner, "POST", VERSIONS, both | {"note": 5})) == [
        ("/from_version", "invalid"),
        ("/note", "invalid"),
    ]


def test_there_is_one_draft_at_a_time(owner, draft):
    assert refusal(send(owner, "POST", VERSIONS)) == (409, "draft_exists")


def test_patching_merges_and_putting_replaces(owner, draft):
    patched = send(owner, "PATCH", version_path(2), {"contents": {"de": {"email": {"subject": "Unterwegs"}}}}).json()
    assert sorted(patched["contents"]) == ["de", "en"]
    again = send(owner, "PATCH", version_path(2), {"contents": {"de": {"email": {"html": "<p>Hallo</p>"}}}}).json()
    assert again["contents"]["de"]["email"]["subject"] == "Unterwegs"

    put = send(owner, "PUT", version_path(2), {"contents": {"de": {"email": {"html": "<p>Hallo</p>"}}}}).json()
    assert put["contents"] == {
        "de": {"email": {"subject": "", "preheader": "", "html": "<p>Hallo</p>", "text": ""}},
    }
    assert put["variables"] == []
    assert codes(put) == ["missing_default_locale", "missing_field"]


def test_wrong_syntax_is_stored_and_reported(owner, draft):
    words = {"contents": {"en": {"email": {"html": "<p>\n{% load x %}"}}}}
    stored = send(owner, "PATCH", version_path(2), words).json()

    assert [(each["code"], each["level"], each["path"], each["line"]) for each in stored["findings"]][:1] == [
        ("syntax", "error", "contents/en/email/html", 2)
    ]


def test_a_translation_is_outdated_when_its_source_changes(owner, draft):
    contents = {"en": {"email": MAIL}, "de": {"email": MAIL | {"subject": "Unterwegs, {{ name }}"}}}
    assert codes(send(owner, "PUT", version_path(2), {"variables": [NAME], "contents": contents}).json()) == []
    changed = contents | {"en": {"email": MAIL | {"subject": "Coming, {{ name }}"}}}
    outdated = send(owner, "PUT", version_path(2), {"variables": [NAME], "contents": changed}).json()

    assert [(each["code"], each["level"], each["path"]) for each in outdated["findings"]] == [
        ("locale_outdated", "warning", "contents/de/email")
    ]


def test_a_stale_draft_is_not_overwritten(owner, draft):
    seen = owner.get(version_path(2))["ETag"]
    first = send(owner, "PATCH", version_path(2), {"note": "Mine"}, **{"If-Match": seen})
    late = send(owner, "PUT", version_path(2), {"note": "Yours"}, **{"If-Match": seen})

    assert refusal(late) == (412, "precondition_failed")
    assert late["ETag"] == first["ETag"]
    assert owner.get(version_path(2)).json()["note"] == "Mine"


def test_a_draft_is_thrown_away(owner, draft):
    assert owner.delete(version_path(2)).status_code == 204
    assert refusal(owner.get(version_path(2))) == (404, "not_found")
    assert send(owner, "POST", VERSIONS).json()["version"] == 2


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_published_versions_never_change(owner, shipped, method):
    assert refusal(send(owner, method, version_path(1), {})) == (409, "version_not_draft")


@pytest.mark.parametrize("number", [0, 9, 2**31, 10**30])
def test_a_version_that_is_not_there(owner, shipped, number):
    assert refusal(owner.get(version_path(number))) == (404, "not_found")


def test_the_list_has_no_words(owner, draft):
    answer = owner.get(f"{VERSIONS}?page_size=1").json()
    [first] = answer["results"]
    assert (first["version"], first["state"]) == (2, "draft")
    assert not {"contents", "findings"} & set(first)
    [second] = owner.get(answer["next"]).json()["results"]
    assert (second["version"], second["state"], second["sent_count"]) == (1, "published", 0)


# --- publishing and going back ----------------------------------------------------------------------------------------
def test_publishing_makes_it_live(owner, draft):
    response = send(owner, "POST", version_path(2, "publish/"), {"note": "Better words"})

    assert response.status_code == 200, response.content
    assert (response.json()["state"], response.json()["note"]) == ("published", "Better words")
    assert response.json()["published_at"].endswith("Z")
    assert owner.get(path_of()).json()["live_version"] == 2
    assert owner.get(version_path(1)).json()["state"] == "retired"
    assert send(owner, "POST", version_path(2, "publish/"), {}).status_code == 200
    assert refusal(send(owner, "POST", version_path(1, "publish/"), {})) == (409, "version_not_draft")


def test_editors_do_not_publish(draft):
    assert refusal(send(editor(), "POST", version_path(2, "publish/"), {})) == (403, "insufficient_scope")


def test_a_breaking_change_has_to_be_acknowledged(owner, draft):
    link = {"name": "link", "type": "url", "required": True}
    html = '<p>{{ name }} <a href="{{ link }}">x</a></p>'
    words = {"variables": [NAME, link], "contents": {"en": {"email": MAIL | {"html": html}}}}
    assert codes(send(owner, "PUT", version_path(2), words).json()) == ["breaking_change"]

    response = send(owner, "POST", version_path(2, "publish/"), {"note": "x"})
    assert refusal(response) == (422, "publish_blocked")
    assert [(each["code"], each["path"]) for each in response.json()["findings"]] == [
        ("breaking_change", "variables/link")
    ]
    for unclear in ("true", 1):
        asked = {"acknowledge_breaking": unclear}
        assert findings(send(owner, "POST", version_path(2, "publish/"), asked)) == [
            ("/acknowledge_breaking", "invalid")
        ]
    done = send(owner, "POST", version_path(2, "publish/"), {"acknowledge_breaking": True})
    assert done.status_code == 200


def test_going_back_makes_a_copy_live(owner, draft):
    send(owner, "PATCH", version_path(2), {"contents": {"en": {"email": MAIL | {"subject": "Worse"}}}})
    send(owner, "POST", version_path(2, "publish/"), {})
    response = send(owner, "POST", version_path(1, "revert/"), {"note": "Back"})

    assert response.status_code == 201
    assert response["Location"] == version_path(3)
    copy = response.json()
    assert (copy["version"], copy["state"], copy["note"]) == (3, "published", "Back")
    assert copy["contents"] == owner.get(version_path(1)).json()["contents"]
    assert owner.get(path_of()).json()["live_version"] == 3
    assert TemplateVersion.objects.get(number=3).reverted_from.number == 1


def test_nobody_goes_back_to_a_draft(owner, draft):
    assert refusal(send(owner, "POST", version_path(2, "revert/"), {})) == (422, "template_version_not_found")


# --- differences ------------------------------------------------------------------------------------------------------
def test_two_versions_are_compared(owner, draft):
    link = {"name": "link", "type": "url", "required": True}
    words = {"variables": [link], "contents": {"en": {"email": MAIL | {"subject": "Coming", "text": "Hi"}}}}
    send(owner, "PUT", version_path(2), words)

    response = owner.get(version_path(2, "diff/?against=1"))
    assert response.status_code == 200
    answer = response.json()
    assert (answer["from"], answer["to"]) == (1, 2)
    changes = {each["path"]: (each["from"], each["to"]) for each in answer["changes"]}
    assert changes["contents/en/email/subject"] == ("On its way, {{ name }}", "Coming")
    assert "contents/en/email/html" not in changes
    lists = ("variables_added", "variables_removed", "variables_now_required")
    assert [answer[name] for name in lists] == [["link"], ["name"], ["link"]]


def test_what_cannot_be_compared(owner, draft):
    assert findings(owner.get(version_path(2, "diff/"))) == [("?against", "required")]
    for wrong in ("9", "x", "-1", "99999999999"):
        assert findings(owner.get(version_path(2, f"diff/?against={wrong}"))) == [("?against", "invalid")]
