"""The editor: what it shows, what it keeps, what it refuses, and what happens when two people write."""

import json

import pytest

from templates_app import drafting
from templates_app.models import Template, TemplateVersion
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import PublishedVersionFactory, TemplateContentFactory, TemplateFactory, TemplateVersionFactory
from users.channels import Channel

pytestmark = pytest.mark.django_db

NAME = {"name": "name", "type": "string", "required": True, "example": "Zebedee"}
EDITOR = ("templates_app.view_template", "templates_app.change_templateversion")
ONLOOKER = "templates_app.view_template"


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def draft():
    version = TemplateVersionFactory(variables=[NAME])
    TemplateContentFactory(version=version, subject="Hello {{ name }}", html="<p>Dear {{ name }}</p>")
    return version


def editor(template, part=""):
    return f"/admin/templates_app/template/{template.pk}/editor/{part}"


def ask(client, template, part, **body):
    return client.post(editor(template, part), json.dumps(body), content_type="application/json")


def state_of(client, template, query=""):
    """What the page tells its scripts."""
    text = page(client, editor(template) + query)
    begin = text.index('<script id="editor-state" type="application/json">')
    return json.loads(text[text.index(">", begin) + 1 : text.index("</script>", begin)])


def save(client, version, contents, **more):
    body = {"number": version.number, "revision": version.revision, "contents": contents} | more
    return ask(client, version.template, "save/", **body)


def look(client, template, words, *, channel="email", locale="en", **more):
    body = {"locale": locale, "channel": channel, "words": words, "variables": [NAME], "sample": "examples"} | more
    return ask(client, template, "look/", **body).json()


# --- the page ---------------------------------------------------------------------------------------------------------
def test_the_page_shows_the_draft_and_says_what_is_live(client):
    live = PublishedVersionFactory()
    draft = drafting.new_draft(live.template)
    state = state_of(client, live.template)
    assert (state["version"]["number"], state["version"]["is_draft"], state["live_number"]) == (draft.number, True, 1)
    assert state["version"]["contents"]["en"]["email"]["subject"] == "Welcome"
    assert state["may_write"]


def test_a_template_without_any_version_has_an_editor_too(client):
    state = state_of(client, TemplateFactory())
    assert (state["version"]["number"], state["version"]["contents"], state["may_write"]) == (None, {}, True)


def test_an_older_version_is_shown_and_cannot_be_written(client):
    live = PublishedVersionFactory()
    drafting.new_draft(live.template)
    state = state_of(client, live.template, "?version=1")
    assert (state["version"]["number"], state["may_write"]) == (1, False)


def test_the_page_holds_no_script_of_its_own(client, draft):
    text = page(client, editor(draft.template))
    assert "<script>" not in text
    assert " onclick=" not in text


def test_the_words_in_the_page_cannot_end_its_data(client, draft):
    save(client, draft, {"en": {"email": {"subject": "</script><script>alert(1)</script>", "html": "<p>x</p>"}}})
    assert "<script>alert(1)" not in page(client, editor(draft.template))


def test_the_page_asks_little_of_the_database_however_many_languages_there_are(client, draft):
    for locale in ("ar", "de", "es", "fr"):
        TemplateContentFactory(version=draft, locale=locale)
        TemplateContentFactory(version=draft, locale=locale, channel=Channel.PUSH)
    assert len(queries_of(client, editor(draft.template))) <= MOST_QUERIES


def test_the_editor_is_for_those_who_may_see_templates(draft):
    assert signed_in(staff()).get(editor(draft.template)).status_code == 403


def test_who_may_only_look_writes_nothing(draft):
    onlooker = signed_in(staff(ONLOOKER))
    assert not state_of(onlooker, draft.template)["may_write"]
    assert save(onlooker, draft, {"en": {"email": {"subject": "Mine"}}}).status_code == 403
    assert ask(onlooker, draft.template, "samples/", act="keep", name="x", values={}, variables=[]).status_code == 403
    assert draft.contents.get().subject == "Hello {{ name }}"


# --- saving -----------------------------------------------------------------------------------------------------------
def test_words_are_kept_and_the_answer_says_what_is_still_wrong():
    version = TemplateVersionFactory()
    writer = signed_in(staff(*EDITOR))
    answer = save(writer, version, {"en": {"email": {"subject": "Hi {{ nmae }}", "html": "<p>x</p>"}}}).json()
    assert version.contents.get().subject == "Hi {{ nmae }}"
    assert answer["revision"] > version.revision
    found = next(each for each in answer["findings"] if each["code"] == "variable_unknown")
    assert (found["where"], found["path"]) == ("en · email · subject · line 1", "contents/en/email/subject")


def test_the_first_save_of_a_template_that_is_live_begins_a_draft(client):
    live = PublishedVersionFactory()
    answer = ask(
        client, live.template, "save/", number=None, base=1, contents={"en": {"push": {"title": "Hi", "body": "There"}}}
    )
    draft = live.template.versions.get(state=TemplateVersion.State.DRAFT)
    assert answer.json()["number"] == draft.number == 2
    assert draft.contents.get(channel=Channel.PUSH).title == "Hi"
    assert draft.contents.get(channel=Channel.EMAIL).subject == "Welcome"
    assert live.contents.get(channel=Channel.PUSH).title == "Welcome"


def test_nothing_is_begun_by_words_that_are_refused(client):
    live = PublishedVersionFactory()
    wrong = [{"name": "Not A Name"}]
    answer = ask(client, live.template, "save/", number=None, base=1, contents={}, variables=wrong)
    assert answer.status_code == 400
    assert "0/name" in answer.json()["detail"]
    assert live.template.versions.count() == 1


def test_a_language_is_added_and_taken_out_again(client, draft):
    answer = save(client, draft, {"ar": {"email": {"subject": "مرحبا {{ name }}", "html": "<p>أهلا</p>"}}}).json()
    assert set(draft.contents.values_list("locale", flat=True)) == {"ar", "en"}
    draft.revision = answer["revision"]
    assert save(client, draft, {"ar": {"email": None}}).status_code == 200
    assert set(draft.contents.values_list("locale", flat=True)) == {"en"}


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"en": {"email": {"subject": "x" * 256}}}, "At most 255 characters; these are 256."),
        ({"en": {"email": {"subjekt": "x"}}}, "no field subjekt"),
        ({"en": {"fax": {"subject": "x"}}}, "fax is no channel."),
        ({"no locale": {"email": {"subject": "x"}}}, "no locale"),
        ({"en": {"email": {"subject": "a\x00b"}}}, "control character"),
        ({"en": {"push": {"data": {"screen": 3}}}}, "each with a text"),
        ({"en": {"push": {"actions": [{"title": "x"}]}}}, "At most 3 buttons."),
        ("words", "must be an object"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_name(client, draft, contents, words):
    answer = save(client, draft, contents)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_a_body_that_is_no_json_is_refused(client, draft):
    answer = client.post(editor(draft.template, "save/"), "{", content_type="application/json")
    assert answer.status_code == 400
    assert client.get(editor(draft.template, "save/")).status_code == 405


# --- two who write at once --------------------------------------------------------------------------------------------
def test_saving_over_newer_words_shows_whose_they_are_and_how_they_differ(client, draft):
    drafting.save_draft(
        draft, by=staff(*EDITOR), contents={("en", "email"): {"subject": "Good day {{ name }}", "html": "<p>New</p>"}}
    )
    draft.revision -= 1
    answer = save(client, draft, {"en": {"email": {"subject": "Hello dear {{ name }}", "html": "<p>New</p>"}}})
    said = answer.json()
    assert answer.status_code == 409
    assert (said["who"], said["theirs"]["revision"]) == ("Sam", draft.revision + 1)
    assert said["changed"].endswith("by Sam")
    [difference] = said["differences"]
    assert difference["place"] == "en · email · subject"
    assert ["same", " {{ name }}"] in difference["pieces"]
    assert said["theirs"]["contents"]["en"]["email"]["subject"] == "Good day {{ name }}"
    assert draft.contents.get().subject == "Good day {{ name }}"


def test_a_draft_that_was_published_meanwhile_is_left_alone(client, draft):
    draft.contents.update(text="Dear {{ name }}")
    TemplateVersion.objects.filter(pk=draft.pk).update(state=TemplateVersion.State.PUBLISHED)
    Template.objects.filter(pk=draft.template_id).update(live_version=draft)
    answer = save(client, draft, {"en": {"email": {"subject": "Other", "html": "<p>x</p>"}}})
    assert answer.status_code == 409
    assert not answer.json()["theirs"]["is_draft"]
    assert draft.contents.get().subject == "Hello {{ name }}"


def test_two_who_begin_a_draft_at_once_get_one(client):
    live = PublishedVersionFactory()
    drafting.new_draft(live.template, by=staff(*EDITOR))
    answer = ask(client, live.template, "save/", number=None, base=1, contents={"en": {"push": {"title": "Mine"}}})
    assert answer.status_code == 409
    assert (answer.json()["who"], answer.json()["theirs"]["number"]) == ("Sam", 2)


# --- the live preview -------------------------------------------------------------------------------------------------
def test_a_look_shows_words_nobody_has_stored(client, draft):
    words = {
        "subject": "Hi {{ name }}",
        "preheader": "Soon",
        "html": "<p>Dear {{ name }}</p>",
        "text": "Dear {{ name }}",
    }
    shown = look(client, draft.template, words)
    assert (shown["subject"], shown["preheader"], shown["text"]) == ("Hi Zebedee", "Soon", "Dear Zebedee")
    assert "<p>Dear Zebedee</p>" in shown["html"]
    assert ["Content-Language", "en"] in shown["headers"]


def test_a_look_in_the_dark_is_what_a_dark_device_shows(client, draft):
    words = {"subject": "x", "html": "<style>@media (prefers-color-scheme: dark) { p { color: #fff } }</style><p>x</p>"}
    assert "(min-width: 0)" in look(client, draft.template, words, scheme="dark")["html"]
    assert "(max-width: 0)" in look(client, draft.template, words, scheme="light")["html"]


def test_a_look_at_a_push_shows_all_its_parts(client, draft):
    words = {
        "title": "Hi {{ name }}",
        "body": "Come",
        "link": "https://x.example/{{ name }}",
        "data": {"to": "{{ name }}"},
    }
    shown = look(client, draft.template, words, channel="push")
    assert (shown["title"], shown["link"], shown["data"]) == (
        "Hi Zebedee",
        "https://x.example/Zebedee",
        {"to": "Zebedee"},
    )


@pytest.mark.parametrize(
    ("html", "line", "fix"),
    [
        ("<p>\n{{ nmae }}</p>", 2, "Did you mean {{ name }}?"),
        ("{{ town }}", 1, "Declare town in the table of variables, or take it out."),
        ("{{ name|uper }}", 1, "Did you mean upper?"),
        ("{{ name|zzzz }}", 1, "Filters: "),
        ("{% iff name %}x{% endif %}", 1, "Did you mean if?"),
        ("\n{% if name %}x", 2, "Close it with {% endif %}."),
        ("<p>{{ name </p>", 1, "Write {{ name }}, on one line."),
    ],
)
def test_what_is_wrong_is_said_with_line_and_remedy(client, draft, html, line, fix):
    problem = look(client, draft.template, {"subject": "x", "html": html})["problem"]
    assert (problem["path"], problem["line"]) == ("contents/en/email/html", line)
    assert problem["where"] == f"html, line {line}"
    assert fix in problem["fix"]


def test_a_wrong_declaration_is_named_in_the_preview(client, draft):
    wrong = [{"name": "name", "type": "integer", "example": "many"}]
    problem = look(client, draft.template, {"subject": "x", "html": "x"}, variables=wrong)["problem"]
    assert (problem["where"], problem["path"]) == ("Variables, name", "variables/name")


def test_the_text_part_is_made_on_request(client, draft):
    assert ask(client, draft.template, "text/", html="<p>Dear <b>{{ name }}</b></p>").json() == {
        "text": "Dear {{ name }}"
    }
    answer = ask(client, draft.template, "text/", html="<p>\n{{ name</p>")
    assert (answer.status_code, "line 2" in answer.json()["detail"]) == (400, True)


# --- sample data ------------------------------------------------------------------------------------------------------
def test_values_typed_by_hand_are_shown_and_wrong_ones_are_named(client, draft):
    words = {"subject": "Hi {{ name }}", "html": "x"}
    assert look(client, draft.template, words, values={"name": "Zoe"})["subject"] == "Hi Zoe"
    assert look(client, draft.template, words, values={"name": 3})["problem"]["where"] == "Sample data, name"


def test_a_set_of_values_is_kept_with_the_template_and_forgotten(client, draft):
    kept = ask(
        client, draft.template, "samples/", act="keep", name="Ann", values={"name": "Ann"}, variables=[NAME]
    ).json()
    words = {"subject": "Hi {{ name }}", "html": "x"}
    assert look(client, draft.template, words, sample=kept["chosen"])["subject"] == "Hi Ann"
    shown = ask(client, draft.template, "samples/", act="show", sample=kept["chosen"], variables=[NAME]).json()
    assert shown == {"values": {"name": "Ann"}}
    gone = ask(client, draft.template, "samples/", act="forget", sample=kept["chosen"], variables=[NAME]).json()
    assert not any(each["is_kept"] for each in gone["samples"])
    assert not draft.template.sample_sets.exists()


def test_a_set_without_a_name_is_refused(client, draft):
    answer = ask(client, draft.template, "samples/", act="keep", name=" ", values={}, variables=[NAME])
    assert answer.status_code == 400
