"""Finished templates in the admin: all of them with a look, and one taken over as a draft of one's own."""

import pytest

from templates_app.examples import add_examples, example_codes
from templates_app.models import Layout, Template
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff

pytestmark = pytest.mark.django_db
LIST = "/admin/templates_app/template/examples/"
SAID = {"code": "hello", "name": "Hello", "company": "Acme & Co", "address": "1 Main St", "mail": "hi@acme.example"}


@pytest.fixture
def client():
    return signed_in(owner())


def test_all_examples_are_shown_and_those_that_are_here_say_so(client):
    add_examples(["receipt"])
    text = page(client, LIST)
    assert all(f"{LIST}{code}/add/" in text for code in example_codes())
    assert text.count("is here already") == 1
    assert "ar, de, en, es, fr" in text
    assert len(queries_of(client, LIST)) <= MOST_QUERIES


def test_a_look_is_the_mail_in_its_layout(client):
    answer = client.get(f"{LIST}receipt/preview/?locale=de")
    assert "Harbour" in answer.content.decode()
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert client.get(f"{LIST}receipt/preview/?locale=xx").status_code == 404


def test_an_example_becomes_a_draft_with_the_words_of_the_company():
    editor = signed_in(
        staff("templates_app.view_template", "templates_app.add_template", "templates_app.change_templateversion")
    )
    answer = editor.post(f"{LIST}welcome_email/add/", SAID)
    template = Template.objects.get(code="hello")
    assert answer.url.endswith(f"/{template.pk}/editor/")
    assert template.live_version is None
    words = template.versions.get().contents.get(locale="en")
    assert "Harbour" not in words.html + words.text
    assert "Acme &amp; Co" in Layout.objects.get(code="company").html


def test_a_code_that_is_taken_is_refused_and_another_is_proposed(client):
    add_examples(["welcome_email"])
    assert 'value="welcome_email_2"' in page(client, f"{LIST}welcome_email/add/")
    answer = client.post(f"{LIST}welcome_email/add/", SAID | {"code": "welcome_email"})
    assert "There is a template with this code." in answer.content.decode()
    assert Template.objects.count() == 1


def test_a_company_with_braces_is_refused_at_its_field(client):
    answer = client.post(f"{LIST}welcome_email/add/", SAID | {"company": "{{ x }}"})
    assert "without braces" in answer.content.decode()
    assert not Template.objects.exists()


def test_an_example_nobody_knows_is_not_found(client):
    assert client.get(f"{LIST}nonsense/add/").status_code == 404
