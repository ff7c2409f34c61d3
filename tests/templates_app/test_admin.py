"""Templates in the admin: the list, a template with its versions, a version with its words."""

import pytest
from django.contrib.admin.models import LogEntry

from templates_app.models import Template, TemplateContent, TemplateVersion
from tests.admin_scene import MOST_QUERIES, form_values, owner, page, queries_of, signed_in, staff
from tests.factories import PublishedVersionFactory, TemplateContentFactory, TemplateFactory, TemplateVersionFactory
from users.channels import Channel

pytestmark = pytest.mark.django_db

TEMPLATES, VERSIONS = "/admin/templates_app/template/", "/admin/templates_app/templateversion/"
NAME = {"name": "name", "type": "string", "required": True, "example": "Zebedee"}
EDITOR = ("templates_app.view_template", "templates_app.view_templateversion", "templates_app.change_templateversion")


@pytest.fixture
def client():
    return signed_in(owner())


def version_page(version, part="change"):
    return f"{VERSIONS}{version.pk}/{part}/"


def draft_with_words(**words):
    draft = TemplateVersionFactory(variables=[NAME])
    TemplateContentFactory(version=draft, **{"subject": "Hello {{ name }}"} | words)
    return draft


# --- the list ---------------------------------------------------------------------------------------------------------
def test_the_list_shows_what_is_live_in_which_languages_and_that_a_draft_waits(client):
    live = PublishedVersionFactory(template__code="welcome_email")
    TemplateVersionFactory(template=live.template)
    text = page(client, TEMPLATES)
    for words in ("Welcome", "welcome_email", "v1", "draft", "E-mail, Push", "en"):
        assert words in text


def test_the_list_asks_little_of_the_database(client):
    for _ in range(15):
        PublishedVersionFactory()
    assert len(queries_of(client, TEMPLATES)) <= MOST_QUERIES


# --- a template -------------------------------------------------------------------------------------------------------
def test_a_new_template_opens_its_first_draft(client):
    values = {"code": "hello", "name": "Hello", "category": "updates", "default_locale": "EN_gb", "on_unknown": "hold"}
    answer = client.post(f"{TEMPLATES}add/", values)
    template = Template.objects.get(code="hello")
    assert answer.url == version_page(template.versions.get(state="draft"))
    assert template.default_locale == "en-GB"


def test_the_code_is_fixed_once_a_version_is_live(client):
    version = PublishedVersionFactory(template__code="fixed")
    address = f"{TEMPLATES}{version.template_id}/change/"
    values = form_values(page(client, address)) | {"code": "other", "name": "New name"}
    assert client.post(address, values).status_code == 302
    version.template.refresh_from_db()
    assert (version.template.code, version.template.name) == ("fixed", "New name")


def test_a_templates_page_lists_its_versions_and_asks_little(client):
    version = PublishedVersionFactory()
    address = f"{TEMPLATES}{version.template_id}/change/"
    assert version_page(version) in page(client, address)
    TemplateVersionFactory.create_batch(1, template=version.template)
    assert len(queries_of(client, address)) <= MOST_QUERIES


def test_nobody_deletes_a_template(client):
    template = TemplateFactory()
    assert client.post(f"{TEMPLATES}{template.pk}/delete/", {"post": "yes"}).status_code == 403


# --- a version --------------------------------------------------------------------------------------------------------
def test_a_published_version_is_shown_and_says_that_it_never_changes(client):
    version = PublishedVersionFactory(variables=[NAME])
    text = page(client, version_page(version))
    assert "It never changes; make a new draft" in text
    assert "Zebedee" in text
    assert 'name="contents-0-subject"' not in text
    assert "&lt;p&gt;Good to see you.&lt;/p&gt;" in text


def test_a_post_cannot_change_a_published_version(client):
    version = PublishedVersionFactory()
    words = version.contents.get(channel=Channel.EMAIL)
    values = {
        "contents-TOTAL_FORMS": "1",
        "contents-INITIAL_FORMS": "1",
        "contents-0-id": str(words.pk),
        "contents-0-version": str(version.pk),
        "contents-0-subject": "Other",
        "variables": "[]",
    }
    client.post(version_page(version), values)
    words.refresh_from_db()
    assert words.subject == "Welcome"


def test_the_words_of_a_draft_are_kept_and_nothing_else_changes(client):
    draft = draft_with_words()
    values = form_values(page(client, version_page(draft))) | {"contents-0-subject": "Hi {{ name }}"}
    answer = client.post(version_page(draft), values)
    assert answer.status_code == 302, answer.content.decode()
    words = draft.contents.get()
    assert (words.subject, words.html, words.channel) == ("Hi {{ name }}", "<p>Good to see you.</p>", "email")
    draft.refresh_from_db()
    assert draft.variables[0]["example"] == "Zebedee"


def test_a_language_is_added_in_its_usual_letters_and_only_once(client):
    draft = draft_with_words()
    values = form_values(page(client, version_page(draft))) | {
        "contents-TOTAL_FORMS": "2",
        "contents-1-version": str(draft.pk),
        "contents-1-locale": "pt_br",
        "contents-1-subject": "Olá",
        "contents-1-html": "<p>Olá</p>",
    }
    assert client.post(version_page(draft), values).status_code == 302
    assert set(draft.contents.values_list("locale", flat=True)) == {"en", "pt-BR"}
    again = form_values(page(client, version_page(draft))) | {
        "contents-TOTAL_FORMS": "3",
        "contents-2-version": str(draft.pk),
        "contents-2-locale": "pt-BR",
        "contents-2-subject": "Oi",
        "contents-2-html": "<p>Oi</p>",
    }
    assert "There are words for this language already." in client.post(version_page(draft), again).content.decode()
    assert draft.contents.get(locale="pt-BR").subject == "Olá"


def test_words_for_push_are_kept_as_push(client):
    draft = draft_with_words()
    values = form_values(page(client, version_page(draft))) | {
        "contents-2-TOTAL_FORMS": "1",
        "contents-2-0-version": str(draft.pk),
        "contents-2-0-locale": "en",
        "contents-2-0-title": "Hello",
        "contents-2-0-body": "Hi {{ name }}",
        "contents-2-0-data": "{}",
    }
    answer = client.post(version_page(draft), values)
    assert answer.status_code == 302, answer.content.decode()
    assert draft.contents.get(channel=Channel.PUSH).title == "Hello"


def test_a_language_can_be_taken_out_of_a_draft(client):
    draft = draft_with_words()
    client.post(version_page(draft), form_values(page(client, version_page(draft))) | {"contents-0-DELETE": "on"})
    assert not draft.contents.exists()


def test_wrong_variables_are_refused_by_name(client):
    draft = draft_with_words()
    values = form_values(page(client, version_page(draft))) | {"variables": '[{"name": "Not A Name"}]'}
    assert "/variables/0/name" in client.post(version_page(draft), values).content.decode()


def test_a_draft_shows_what_would_block_its_publication(client):
    draft = draft_with_words(html="<p>{{ nmae }}</p>")
    assert "en/email/html, line 1: {{ nmae }} is not declared." in page(client, version_page(draft))


def test_a_version_with_many_languages_asks_little_of_the_database(client):
    draft = draft_with_words()
    for locale in ("ar", "de", "es", "fr"):
        TemplateContentFactory(version=draft, locale=locale)
        TemplateContentFactory(version=draft, locale=locale, channel=Channel.PUSH)
    assert len(queries_of(client, version_page(draft))) <= MOST_QUERIES


# --- new drafts and publishing ----------------------------------------------------------------------------------------
def test_a_new_draft_is_a_copy_and_asked_for_first(client):
    version = PublishedVersionFactory()
    assert "It begins as a copy of v1." in page(client, version_page(version, "new_draft"))
    assert version.template.versions.count() == 1
    answer = client.post(version_page(version, "new_draft"))
    draft = version.template.versions.get(state="draft")
    assert answer.url == version_page(draft)
    assert draft.contents.count() == 2


def test_a_second_draft_leads_to_the_first(client):
    version = PublishedVersionFactory()
    draft = TemplateVersionFactory(template=version.template)
    answer = client.post(f"{TEMPLATES}{version.template_id}/new_draft/")
    assert answer.url == version_page(draft)
    assert version.template.versions.count() == 2


def test_publishing_makes_a_draft_live(client):
    draft = draft_with_words()
    page(client, version_page(draft, "publish"))
    draft.refresh_from_db()
    assert draft.state == TemplateVersion.State.DRAFT
    client.post(version_page(draft, "publish"), {"note": "First words"})
    draft.refresh_from_db()
    assert (draft.state, draft.note, draft.created_by.name) == ("published", "First words", "Olga")
    assert LogEntry.objects.get(object_id=str(draft.pk)).change_message == "Published: First words"


def test_a_draft_with_errors_is_not_published_and_says_why(client):
    draft = draft_with_words(html="<p>{{ nmae }}</p>")
    answer = client.post(version_page(draft, "publish"), {"note": "x"}, follow=True)
    assert "en/email/html, line 1: {{ nmae }} is not declared." in answer.content.decode()
    draft.refresh_from_db()
    assert draft.state == TemplateVersion.State.DRAFT


def test_an_editor_writes_but_does_not_publish():
    editor, draft = signed_in(staff(*EDITOR)), draft_with_words()
    assert version_page(draft, "publish") not in page(editor, version_page(draft))
    assert editor.post(version_page(draft, "publish"), {"note": "x"}).status_code == 403
    draft.refresh_from_db()
    assert draft.state == TemplateVersion.State.DRAFT


def test_who_may_only_look_makes_no_draft():
    onlooker, version = signed_in(staff("templates_app.view_templateversion")), PublishedVersionFactory()
    assert onlooker.post(version_page(version, "new_draft")).status_code == 403
    assert version.template.versions.count() == 1


# --- previews ---------------------------------------------------------------------------------------------------------
def test_a_preview_fills_in_the_examples_and_runs_no_script(client):
    draft = draft_with_words(html="<p>Dear {{ name }}</p>")
    content = draft.contents.get()
    look = page(client, f"{VERSIONS}{draft.pk}/look/{content.pk}/")
    assert "Hello Zebedee" in look
    assert "<iframe" in look
    assert "sandbox" in look
    frame = client.get(f"{VERSIONS}{draft.pk}/preview/{content.pk}/")
    assert "<p>Dear Zebedee</p>" in frame.content.decode()
    assert "sandbox" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_a_push_is_previewed_as_a_device_shows_it(client):
    draft = TemplateVersionFactory(variables=[NAME])
    content = TemplateContentFactory(
        version=draft, channel=Channel.PUSH, title="Hi {{ name }}", image="https://x.example/a.png"
    )
    text = page(client, f"{VERSIONS}{draft.pk}/look/{content.pk}/")
    assert "Hi Zebedee" in text
    assert "<img" not in text


def test_a_preview_of_broken_words_says_what_is_wrong(client):
    draft = draft_with_words(html="<p>{% if %}</p>")
    text = page(client, f"{VERSIONS}{draft.pk}/look/{draft.contents.get().pk}/")
    assert "html, line 1" in text


def test_previews_need_the_permission_to_look(client):
    draft = draft_with_words()
    outsider, content = signed_in(staff()), TemplateContent.objects.get()
    for part in ("look", "preview"):
        assert outsider.get(f"{VERSIONS}{draft.pk}/{part}/{content.pk}/").status_code == 403
