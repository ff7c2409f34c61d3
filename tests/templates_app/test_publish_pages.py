"""Publishing and going back, as people do it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from templates_app import drafting, usage
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import PublishedVersionFactory, TemplateContentFactory, TemplateVersionFactory

pytestmark = pytest.mark.django_db

NAME = {"name": "name", "type": "string", "required": True, "example": "Zebedee"}
NOW = {"note": "First words", "when": "now"}


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def draft():
    version = TemplateVersionFactory(variables=[NAME])
    TemplateContentFactory(version=version, subject="Hello {{ name }}")
    return version


def address(template, part="publish"):
    return f"/admin/templates_app/template/{template.pk}/{part}/"


def state(version):
    version.refresh_from_db()
    return version.state


def test_a_draft_goes_live_with_a_note(client, draft):
    assert "From now on every request gets these words" in page(client, address(draft.template))
    assert state(draft) == "draft"
    answer = client.post(address(draft.template), NOW)
    assert answer.url == address(draft.template, "versions")
    assert (state(draft), draft.note) == ("published", "First words")


def test_without_a_note_nothing_is_published(client, draft):
    answer = client.post(address(draft.template), {"note": "", "when": "now"})
    assert "This field is required." in answer.content.decode()
    assert state(draft) == "draft"


def test_errors_are_shown_instead_of_the_button_and_hold_it_up(client, draft):
    drafting.save_content(draft, locale="en", channel="email", words={"subject": "x", "html": "{{ nmae }}"})
    text = page(client, address(draft.template))
    assert "First mend these" in text
    assert 'name="note"' not in text
    client.post(address(draft.template), NOW)
    assert state(draft) == "draft"


def test_warnings_need_a_tick(client, draft):
    drafting.save_variables(draft, [NAME, {"name": "town"}])
    assert "town is used nowhere." in page(client, address(draft.template))
    client.post(address(draft.template), NOW)
    assert state(draft) == "draft"
    client.post(address(draft.template), NOW | {"seen": "on"})
    assert state(draft) == "published"


def test_the_page_names_clients_that_send_too_little(client, draft):
    usage.tell_use(template_id=draft.template_id, version_id=draft.pk, client="shop", names=["town"])
    usage.write_uses()
    text = page(client, address(draft.template))
    assert "shop" in text
    assert "Does not send" in text


def test_a_draft_can_be_published_at_a_time_and_that_called_off(client, draft):
    later = timezone.localtime() + timedelta(days=2)
    values = {"note": "Sale", "when": "later", "at": f"{later:%Y-%m-%dT%H:%M}"}
    client.post(address(draft.template), values)
    assert (state(draft), draft.publish_at is not None) == ("draft", True)
    assert "It will be published by itself" in page(client, address(draft.template))
    client.post(address(draft.template, "call_off"))
    assert (state(draft), draft.publish_at) == ("draft", None)


@pytest.mark.parametrize(("at", "words"), [("", "Say when."), ("2020-01-01T10:00", "This moment is in the past.")])
def test_a_moment_that_cannot_be_met_is_refused(client, draft, at, words):
    answer = client.post(address(draft.template), {"note": "x", "when": "later", "at": at})
    assert words in answer.content.decode()
    assert (state(draft), draft.publish_at) == ("draft", None)


def test_without_a_draft_the_page_leads_to_the_editor(client):
    template = PublishedVersionFactory().template
    assert client.get(address(template)).url == address(template, "editor")


def test_going_back_needs_a_reason_and_makes_a_copy_live(client):
    old = PublishedVersionFactory()
    new = drafting.new_draft(old.template)
    client.post(address(old.template), NOW | {"seen": "on"})
    assert state(new) == "published"
    assert "Go back to v1" in page(client, address(old.template, "revert/1"))
    client.post(address(old.template, "revert/1"), {"reason": ""})
    assert old.template.versions.count() == 2
    client.post(address(old.template, "revert/1"), {"reason": "The link was wrong"})
    copy = old.template.versions.get(number=3)
    assert (copy.state, copy.note, copy.reverted_from) == ("published", "The link was wrong", old)


def test_publishing_is_for_publishers(draft):
    editor = signed_in(staff("templates_app.view_template", "templates_app.change_templateversion"))
    for part in ("publish", "call_off", "revert/1"):
        assert editor.post(address(draft.template, part), NOW).status_code == 403
    assert state(draft) == "draft"


def test_the_page_asks_little_of_the_database(client, draft):
    assert len(queries_of(client, address(draft.template))) <= MOST_QUERIES + 2  # the checks know callers and layouts
