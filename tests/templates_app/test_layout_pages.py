"""Layouts in the admin: what is written becomes the next version, what was published keeps its own."""

import pytest

from templates_app.layouts import current_layout, store_layout
from templates_app.models import Layout
from tests.admin_scene import MOST_QUERIES, form_values, owner, page, queries_of, signed_in, staff
from tests.factories import TemplateFactory
from users.models import AuditEntry

pytestmark = pytest.mark.django_db
LIST = "/admin/templates_app/layout/"
FRAME = '<html dir="{{ direction }}"><body><i>old</i>{{ content }}<b>{{ footer }}</b></body></html>'


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def layout():
    return store_layout(code="company", name="Company", html=FRAME)


def page_of(layout):
    return f"{LIST}{layout.pk}/change/"


def written(client, layout, **said):
    return form_values(page(client, page_of(layout))) | said


def test_an_empty_list_says_what_a_layout_is(client):
    assert "the frame around mails" in page(client, LIST)


def test_the_list_has_one_row_per_code_and_counts_its_templates(client, layout):
    store_layout(code="company", name="Company anew", html=FRAME.replace("old", "new"))
    TemplateFactory(layout="company")
    TemplateFactory(layout="company", is_archived=True)
    text = page(client, LIST)
    assert "Company anew" in text
    assert text.count("/change/?") + text.count('/change/"') == 1
    assert [each.users for each in client.get(LIST).context["cl"].result_list] == [1]
    assert len(queries_of(client, LIST)) <= MOST_QUERIES


def test_saving_stores_the_next_version_and_says_who_takes_it(client, layout):
    TemplateFactory(layout="company", code="receipt")
    answer = client.post(page_of(layout), written(client, layout, html=FRAME.replace("old", "new")))
    newest = current_layout("company")
    assert answer.url == page_of(newest)
    assert (newest.number, newest.created_by.name) == (2, "Olga")
    layout.refresh_from_db()
    assert "old" in layout.html
    text = page(client, page_of(newest))
    assert ">receipt</a>" in text
    assert "keep the one they were published with" in text
    assert AuditEntry.objects.filter(what="layout.stored", about_id=newest.pk).exists()
    assert len(queries_of(client, page_of(newest))) <= MOST_QUERIES


@pytest.mark.parametrize(
    ("field", "source", "says"),
    [("html", "<p>x</p>", "once, where the words"), ("text", "x", "once, where"), ("html", "{{ content }}{{ x", "")],
)
def test_what_no_mail_fits_in_is_refused_at_its_field(client, layout, field, source, says):
    answer = client.post(page_of(layout), written(client, layout, **{field: source}))
    [message] = answer.context["adminform"].form.errors[field]
    assert says in message
    assert Layout.objects.count() == 1


def test_whoever_was_overtaken_is_told_and_keeps_what_they_wrote(client, layout):
    mine = written(client, layout, html=FRAME.replace("old", "mine"))
    store_layout(code="company", name="Company", html=FRAME.replace("old", "theirs"))
    text = client.post(page_of(layout), mine).content.decode()
    assert "v2 was stored meanwhile" in text
    assert "mine" in text
    assert Layout.objects.count() == 2


def test_a_new_layout_begins_with_something_that_works(client):
    answer = client.post(f"{LIST}add/", form_values(page(client, f"{LIST}add/")) | {"name": "Usual"})
    assert answer.url == page_of(current_layout("default"))


def test_a_code_that_is_taken_is_refused(client, layout):
    said = form_values(page(client, f"{LIST}add/")) | {"name": "Usual", "code": "company"}
    assert "There is a layout with this code" in client.post(f"{LIST}add/", said).content.decode()


def test_an_older_version_is_read_only_and_comes_back_as_a_new_one(client, layout):
    store_layout(code="company", name="Company", html=FRAME.replace("old", "new"))
    text = page(client, page_of(layout))
    assert "to be read only" in text
    assert "html" not in form_values(text)
    client.post(f"{LIST}{layout.pk}/bring_back/", {"reason": "The new one is too loud"})
    newest = current_layout("company")
    assert (newest.number, newest.html) == (3, FRAME)
    assert AuditEntry.objects.get(about_id=newest.pk).why == "The new one is too loud"


def test_the_preview_shows_what_is_stored_and_what_is_only_written(client, layout):
    answer = client.get(f"{LIST}{layout.pk}/preview/?locale=ar")
    assert 'dir="rtl"' in answer.content.decode()
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    said = {"html": FRAME.replace("old", "{{ slogan }}"), "text": "{{ content }}"}
    assert "<i>slogan</i>" in client.post(f"{LIST}preview/", said).content.decode()
    assert "html: write" in client.post(f"{LIST}preview/", {"html": "x"}).content.decode()


def test_who_may_only_look_writes_nothing(layout):
    onlooker = signed_in(staff("templates_app.view_layout"))
    text = page(onlooker, page_of(layout))
    assert "Show what is written" not in text
    assert onlooker.post(page_of(layout), {"name": "x"}).status_code == 403
    assert onlooker.post(f"{LIST}preview/").status_code == 403
    assert onlooker.post(f"{LIST}{layout.pk}/bring_back/", {"reason": "x"}).status_code == 403
