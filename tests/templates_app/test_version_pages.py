"""Versions as people look at them: the list, two side by side, a mail alone."""

import pytest

from templates_app import drafting
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import PublishedVersionFactory, TemplateContentFactory, TemplateFactory, TemplateVersionFactory
from users.channels import Channel

pytestmark = pytest.mark.django_db

NAME = {"name": "name", "type": "string", "required": True, "example": "Zebedee"}


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def pair():
    """The live version, and a draft with other words."""
    live = PublishedVersionFactory()
    draft = drafting.new_draft(live.template)
    words = {"subject": "Welcome aboard", "html": "<p>Good to see you.</p>", "text": "Good to see you."}
    drafting.save_draft(draft, variables=[NAME], contents={("en", "email"): words, ("de", "push"): {"title": "Hallo"}})
    return live, draft


def address(template, part):
    return f"/admin/templates_app/template/{template.pk}/{part}/"


def test_the_list_of_versions_says_who_when_and_why(client, pair):
    live, draft = pair
    live.note = "First words"
    live.save(update_fields=["note"])
    drafting.save_draft(draft, by=staff())
    text = page(client, address(live.template, "versions"))
    for words in ("v1", "v2", "First words", "Sam", "What changed"):
        assert words in text
    assert len(queries_of(client, address(live.template, "versions"))) <= MOST_QUERIES


def test_a_template_without_versions_says_how_one_begins(client):
    assert "Write the first words in the editor" in page(client, address(TemplateFactory(), "versions"))


def test_two_versions_are_compared_word_by_word(client, pair):
    text = page(client, address(pair[0].template, "compare"))
    assert "<ins> aboard</ins>" in text
    assert "<ins>Hallo</ins>" in text
    assert "now required" in text
    assert "email · html" not in text


def test_the_same_words_are_said_to_be_the_same(client):
    live = PublishedVersionFactory()
    drafting.new_draft(live.template)
    assert "The words are the same." in page(client, address(live.template, "compare"))


def test_versions_to_compare_are_chosen_by_their_numbers(client, pair):
    other_way = page(client, address(pair[0].template, "compare") + "?old=2&new=1")
    assert "<del> aboard</del>" in other_way
    assert "Choose two versions" in page(client, address(TemplateVersionFactory().template, "compare") + "?old=x")


def test_comparing_asks_little_of_the_database(client, pair):
    assert len(queries_of(client, address(pair[0].template, "compare"))) <= MOST_QUERIES


def test_a_mail_alone_has_its_examples_and_runs_no_script(client):
    draft = TemplateVersionFactory(variables=[NAME])
    content = TemplateContentFactory(version=draft, html="<p>Dear {{ name }}</p>")
    frame = client.get(address(draft.template, f"preview/{content.pk}"))
    assert "<p>Dear Zebedee</p>" in frame.content.decode()
    assert "sandbox" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_a_mail_that_cannot_be_rendered_says_why_as_plain_text(client):
    draft = TemplateVersionFactory()
    content = TemplateContentFactory(version=draft, html="<script>{% if %}")
    frame = client.get(address(draft.template, f"preview/{content.pk}"))
    assert frame["Content-Type"].startswith("text/plain")
    assert "html, line 1" in frame.content.decode()


def test_a_push_or_the_mail_of_another_template_has_no_frame(client, pair):
    push = pair[0].contents.get(channel=Channel.PUSH)
    assert client.get(address(pair[0].template, f"preview/{push.pk}")).status_code == 404
    mail = pair[0].contents.get(channel=Channel.EMAIL)
    assert client.get(address(TemplateFactory(), f"preview/{mail.pk}")).status_code == 404


def test_the_pages_are_for_those_who_may_see_templates(pair):
    outsider, content = signed_in(staff()), pair[0].contents.first()
    for part in ("versions", "compare", f"preview/{content.pk}"):
        assert outsider.get(address(pair[0].template, part)).status_code == 403
