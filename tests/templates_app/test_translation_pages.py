"""Files for translators, as people take them away and bring them back."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from templates_app.models import TemplateVersion
from tests.admin_scene import owner, page, signed_in, staff
from tests.factories import TemplateContentFactory, TemplateFactory, TemplateVersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def draft():
    version = TemplateVersionFactory(template__code="welcome_email")
    TemplateContentFactory(version=version, subject="Welcome", html="<p>Hi</p>", text="")
    return version


def address(template, part=""):
    return f"/admin/templates_app/template/{template.pk}/translate/{part}"


def translated(client, draft, word="Willkommen"):
    """The file a translator gives back, in which one line is filled in."""
    text = client.get(address(draft.template, "take/") + "?locale=de&form=po").content.decode()
    filled = text.replace('msgid "Welcome"\nmsgstr ""', f'msgid "Welcome"\nmsgstr "{word}"')
    assert filled != text
    return SimpleUploadedFile("words.po", filled.encode())


def test_a_file_is_taken_away(client, draft):
    answer = client.get(address(draft.template, "take/") + "?locale=de&form=csv")
    assert answer["Content-Disposition"] == 'attachment; filename="welcome_email.de.csv"'
    assert "Welcome" in answer.content.decode()


def test_a_file_that_comes_back_is_looked_at_before_it_is_written(client, draft):
    looked = client.post(address(draft.template, "bring/"), {"file": translated(client, draft)})
    assert "email/subject" in looked.content.decode()
    assert not draft.contents.filter(locale="de").exists()
    text = translated(client, draft).read().decode()
    written = client.post(address(draft.template, "bring/"), {"text": text, "write": "yes"})
    assert written.url.endswith("/editor/")
    assert draft.contents.get(locale="de").subject == "Willkommen"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"no words at all"])
def test_what_is_no_file_of_words_is_refused_with_a_sentence(client, draft, content):
    answer = client.post(address(draft.template, "bring/"), {"file": SimpleUploadedFile("x.po", content)}, follow=True)
    assert answer.status_code == 200
    assert not TemplateVersion.objects.exclude(pk=draft.pk).exists()


def test_the_file_of_another_template_is_refused(client, draft):
    other = TemplateVersionFactory(template__code="other")
    TemplateContentFactory(version=other)
    answer = client.post(address(other.template, "bring/"), {"file": translated(client, draft)}, follow=True)
    assert "This file is of the template welcome_email." in answer.content.decode()


def test_without_words_the_page_says_what_comes_first(client):
    assert "Nothing to translate yet" in page(client, address(TemplateFactory()))


def test_who_may_only_look_takes_files_away_and_brings_none_back(draft):
    onlooker = signed_in(staff("templates_app.view_template"))
    assert "A file that came back" not in page(onlooker, address(draft.template))
    assert onlooker.post(address(draft.template, "bring/"), {"text": "x", "write": "yes"}).status_code == 403
