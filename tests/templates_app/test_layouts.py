import threading

import pytest
from django.db import connection, connections, transaction

from templates_app import drafting, layouts, publishing
from templates_app.compilation import CompilationProblem
from templates_app.layouts import LayoutInvalid, current_layout, finish, made_text, store_layout
from templates_app.models import Layout, TemplateContent
from templates_app.preview import preview
from tests.factories import TemplateFactory
from tests.rabbitmq_server import PATIENCE, somebody_waits, until

FRAME = (
    '<!doctype html><html lang="{{ locale }}" dir="{{ direction }}"><head><title>{{ title }}</title>'
    "<style>.foot { text-align: {{ end }} } p { margin: 0 }</style></head><body>"
    '<b>{{ header }}</b>{{ content }}<div class="foot">{{ footer }}</div></body></html>'
)
MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text><p>Hi {{ name }}</p></mj-text></mj-column></mj-section></mj-body>"
    "</mjml>"
)


def layout(html=FRAME, text="{{ content }}\n\n--\nHarbour\n{{ footer }}"):
    return Layout(code="company", number=1, html=html, text=text)


def content(html="<p>Hi {{ name }}</p>", text="Hi {{ name }}", *, locale="en", subject="Hi", source_format="html"):
    return TemplateContent(
        locale=locale, channel="email", subject=subject, html=html, text=text, source_format=source_format
    )


def draft_with(html, *, template=None, **words):
    template = template or TemplateFactory(layout="company")
    draft = drafting.new_draft(template)
    drafting.save_variables(draft, [{"name": "name", "example": "Ann"}])
    drafting.save_content(draft, locale="en", channel="email", words={"subject": "Hi", "html": html} | words)
    return draft


def test_without_a_layout_words_stay_to_the_letter():
    assert finish(content(), None) == ("<p>Hi {{ name }}</p>", "Hi {{ name }}")


def test_blocks_go_where_the_layout_wants_them():
    html, text = finish(
        content("<!-- block: header -->\nOn top\n<!-- block: footer -->\n<p>Why</p>", "Hi\n\n--\nWhy\n"), layout()
    )
    assert "<b>On top</b>" in html
    assert '<div class="foot" style="text-align: right;"><p style="margin: 0;">Why</p></div>' in html
    assert text == "Hi\n\n--\nHarbour\nWhy"


def test_words_before_the_first_block_are_the_content():
    html, _ = finish(content("<p>{{ name }}</p>\n<!-- block: footer -->\n<i>x</i>"), layout())
    assert '<b></b><p style="margin: 0;">{{ name }}</p>' in html


def test_arabic_is_mirrored():
    html, _ = finish(content(locale="ar"), layout())
    assert '<html lang="ar" dir="rtl">' in html
    assert 'style="text-align: left;"' in html


def test_the_title_is_the_subject_with_its_placeholders():
    html, _ = finish(content(subject='A & B: {{ name|default:"<you>" }}'), layout())
    assert '<title>A &amp; B: {{ name|default:"<you>" }}</title>' in html


def test_a_slot_in_the_words_is_a_placeholder_like_any_other():
    html, _ = finish(content("<p>{{ content }} {{ footer }}</p>"), layout())
    assert "{{ content }} {{ footer }}</p>" in html


def test_a_document_of_its_own_gets_no_frame():
    whole = "<!-- ours -->\n<!DOCTYPE html><html><body><p>x</p></body></html>"
    assert finish(content(whole), layout()).html == whole


def test_mjml_is_a_document_of_its_own_and_gives_the_text():
    html, text = finish(content(MJML, "", source_format="mjml"), layout())
    assert html.startswith("<!doctype html>")
    assert "Hi {{ name }}" in html
    assert text == "Hi {{ name }}\n\n--\nHarbour\n"
    assert made_text(MJML, "mjml") == "Hi {{ name }}"


def test_a_made_text_keeps_the_footer_apart():
    assert made_text("<p>Hi</p>\n<!-- block: footer -->\n<p>Why</p>", "html") == "Hi\n\n--\n\nWhy"


def test_a_problem_has_the_line_of_the_words_not_of_the_frame():
    with pytest.raises(CompilationProblem) as caught:
        finish(content("<p>x</p>\n<table>{{ name }}<tr><td>x</td></tr></table>"), layout())
    assert caught.value.line == 2


def test_a_problem_of_the_layout_says_so():
    with pytest.raises(CompilationProblem, match="In the layout company: ") as caught:
        finish(content(), layout(FRAME.replace("<b>", "<b {{ name }}>")))
    assert caught.value.line is None


@pytest.mark.django_db
def test_a_layout_gets_a_new_number_only_when_something_differs():
    first = store_layout(code="company", name="Company", html=FRAME)
    assert store_layout(code="company", name="Company", html=FRAME) == first
    second = store_layout(code="company", name="Company", html=FRAME.replace("foot", "feet"))
    assert (first.number, second.number) == (1, 2)
    assert current_layout("company") == second


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("first", ["company", "another"])
def test_of_two_who_store_at_one_instant_each_gets_a_number(first):
    store_layout(code=first, name="Company", html=FRAME)
    colleague = threading.Thread(target=store_elsewhere, args=[FRAME.replace("foot", "feet")])
    with transaction.atomic():
        store_layout(code="company", name="Company", html=FRAME.replace("foot", "toe"))
        colleague.start()
        if connection.vendor == "postgresql":
            until(somebody_waits, "the wait for the lock")
    colleague.join(PATIENCE)
    numbers = Layout.objects.filter(code="company").order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 4 if first == "company" else 3))
    assert "feet" in current_layout("company").html


def store_elsewhere(html):
    try:
        store_layout(code="company", name="Company", html=html)
    finally:
        connections.close_all()


@pytest.mark.django_db
@pytest.mark.parametrize("html", ["", "<p>no slot</p>", "{{ content }}{{content}}"])
def test_a_layout_has_room_for_the_words_exactly_once(html):
    with pytest.raises(LayoutInvalid, match=r"html: write .* once"):
        store_layout(code="company", name="Company", html=html)


@pytest.mark.django_db
def test_preview_of_a_draft_and_published_mail_are_the_same():
    store_layout(code="company", name="Company", html=FRAME)
    draft = draft_with("<p>Hi {{ name }}</p>")
    before = preview(draft.contents.get())

    publishing.publish(draft)

    after = preview(draft.contents.get())
    assert before == after
    assert '<p style="margin: 0;">Hi Ann</p>' in after.html


@pytest.mark.django_db
def test_a_published_version_keeps_its_frame_whatever_becomes_of_the_layout():
    store_layout(code="company", name="Company", html=FRAME)
    draft = draft_with("<p>Hi {{ name }}</p>")
    publishing.publish(draft)
    store_layout(code="company", name="Company", html="<i>{{ content }}</i>")

    assert "<b></b>" in preview(draft.contents.get()).html
    assert preview(drafting.new_draft(draft.template).contents.get()).html == "<i><p>Hi Ann</p></i>"


@pytest.mark.django_db
def test_a_draft_that_cannot_be_compiled_is_not_published_and_says_where():
    store_layout(code="company", name="Company", html=FRAME)
    draft = draft_with("<p>Hi</p>\n<table>{{ name }}<tr><td>x</td></tr></table>")

    with pytest.raises(publishing.PublishBlocked) as caught:
        publishing.publish(draft)

    (finding,) = caught.value.findings
    assert (finding.code, finding.path, finding.line) == ("syntax", "contents/en/email/html", 2)
    assert "cannot stand here" in preview(draft.contents.get()).problem


@pytest.mark.django_db
def test_mjml_is_compiled_once_when_it_is_published():
    draft = draft_with(MJML, source_format="mjml")
    publishing.publish(draft)

    stored = draft.contents.get()
    assert stored.html == MJML
    assert stored.compiled_html.startswith("<!doctype html>")
    assert stored.text == "Hi {{ name }}"
    assert "Hi Ann" in preview(stored).html
    assert layouts.current_layout("company") is None
