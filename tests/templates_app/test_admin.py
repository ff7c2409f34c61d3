"""Templates in the admin: the list, what holds for all versions, duplicating and archiving."""

import pytest
from django.contrib.admin.models import LogEntry

from templates_app import drafting
from templates_app.models import Template
from tests.admin_scene import MOST_QUERIES, form_values, owner, page, queries_of, signed_in, staff
from tests.factories import PublishedVersionFactory, TemplateContentFactory, TemplateFactory, TemplateVersionFactory

pytestmark = pytest.mark.django_db

TEMPLATES = "/admin/templates_app/template/"
EDITOR = ("templates_app.view_template", "templates_app.change_template", "templates_app.change_templateversion")


@pytest.fixture
def client():
    return signed_in(owner())


def template_page(template, part="change"):
    return f"{TEMPLATES}{template.pk}/{part}/"


# --- the list ---------------------------------------------------------------------------------------------------------
def test_the_list_shows_what_is_live_in_which_languages_and_that_a_draft_is_newer(client):
    live = PublishedVersionFactory(template__code="welcome_email")
    drafting.new_draft(live.template)
    text = page(client, TEMPLATES)
    for words in ("Welcome", "welcome_email", "v1", "draft v2", "E-mail, Push", "1 of 1"):
        assert words in text


def test_a_language_that_lacks_a_channel_is_not_counted_as_complete(client):
    live = PublishedVersionFactory()
    draft = drafting.new_draft(live.template)
    TemplateContentFactory(version=draft, locale="de")
    draft.state = "published"
    live.state = "retired"
    live.save()
    draft.save()
    live.template.live_version = draft
    live.template.save()
    assert "1 of 2" in page(client, TEMPLATES)


def test_the_list_asks_little_of_the_database(client):
    for _ in range(15):
        PublishedVersionFactory()
    assert len(queries_of(client, TEMPLATES)) <= MOST_QUERIES


# --- a template -------------------------------------------------------------------------------------------------------
def test_a_new_template_opens_the_editor(client):
    values = {
        "code": "hello",
        "name": "Hello",
        "category": "updates",
        "default_locale": "EN_gb",
        "layout": "default",
        "on_unknown": "hold",
    }
    answer = client.post(f"{TEMPLATES}add/", values)
    template = Template.objects.get(code="hello")
    assert answer.url == template_page(template, "editor")
    assert template.default_locale == "en-GB"


def test_a_wrong_language_or_code_is_refused_with_words(client):
    values = {"code": "Hello!", "name": "Hello", "category": "updates", "default_locale": "?", "on_unknown": "hold"}
    text = client.post(f"{TEMPLATES}add/", values).content.decode()
    assert "This is not a locale" in text
    assert "small letters" in text


def test_the_page_of_a_template_leads_to_all_others(client):
    template = PublishedVersionFactory().template
    text = page(client, template_page(template))
    for part in ("editor", "versions", "use", "activity"):
        assert f'href="{template_page(template, part)}"' in text


def test_what_is_changed_of_a_template_is_kept(client):
    template = PublishedVersionFactory().template
    values = form_values(page(client, template_page(template))) | {"name": "Greeting", "ttl_seconds": "600"}
    assert client.post(template_page(template), values).status_code == 302
    template.refresh_from_db()
    assert (template.name, template.ttl_seconds, template.category_id) == ("Greeting", 600, "updates")


def test_the_code_of_a_live_template_is_shown_and_not_asked(client):
    assert 'name="code"' in page(client, template_page(TemplateFactory()))
    assert 'name="code"' not in page(client, template_page(PublishedVersionFactory().template))


def test_templates_are_archived_never_deleted(client):
    template = TemplateFactory()
    assert client.post(template_page(template, "delete"), {"post": "yes"}).status_code == 403


def test_archiving_needs_a_reason_and_can_be_taken_back(client):
    template = PublishedVersionFactory().template
    assert "Nobody can send it any more" in page(client, template_page(template, "archive"))
    client.post(template_page(template, "archive"), {"reason": ""})
    template.refresh_from_db()
    assert not template.is_archived
    client.post(template_page(template, "archive"), {"reason": "Replaced"})
    template.refresh_from_db()
    assert template.is_archived
    assert LogEntry.objects.get(object_id=str(template.pk)).change_message == "Archived: Replaced"
    client.post(template_page(template, "restore"), {"reason": "Missed"})
    template.refresh_from_db()
    assert not template.is_archived


def test_a_copy_has_the_same_words_as_a_draft_and_a_code_of_its_own(client):
    template = PublishedVersionFactory(template__code="welcome").template
    assert 'value="welcome_copy"' in page(client, template_page(template, "duplicate"))
    taken = client.post(template_page(template, "duplicate"), {"code": "welcome", "name": "Other"})
    assert "There is a template with this code" in taken.content.decode()
    answer = client.post(template_page(template, "duplicate"), {"code": "welcome_two", "name": "Welcome two"})
    copy = Template.objects.get(code="welcome_two")
    assert answer.url == template_page(copy, "editor")
    assert copy.versions.get().contents.count() == 2


def test_an_editor_does_not_archive_and_an_onlooker_copies_nothing():
    editor, template = signed_in(staff(*EDITOR)), PublishedVersionFactory().template
    assert editor.post(template_page(template, "archive"), {"reason": "x"}).status_code == 403
    assert editor.post(template_page(template, "duplicate"), {"code": "x", "name": "x"}).status_code == 403
    template.refresh_from_db()
    assert not template.is_archived


def test_publishing_is_offered_where_there_is_a_draft(client):
    live = PublishedVersionFactory()
    assert template_page(live.template, "publish") not in page(client, template_page(live.template))
    TemplateVersionFactory(template=live.template)
    assert template_page(live.template, "publish") in page(client, template_page(live.template))
