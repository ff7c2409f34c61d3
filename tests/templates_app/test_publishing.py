"""The life of a version: draft, words, published, retired; and that nothing changes once it was published."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connections, transaction

from templates_app import publishing
from templates_app.models import Template, TemplateContent, TemplateVersion, VersionIsFixed
from templates_app.publishing import DraftExists, PublishBlocked
from templates_app.variables import DeclarationInvalid
from tests.factories import TemplateContentFactory, TemplateFactory, TemplateVersionFactory, UserFactory

pytestmark = pytest.mark.django_db

State = TemplateVersion.State
MAIL = {"subject": "Hi {{ name }}", "html": "<p>Hello {{ name }}</p>"}
NAME = {"name": "name", "type": "string", "required": True}


@pytest.fixture
def template():
    return TemplateFactory()


@pytest.fixture
def draft(template):
    version = publishing.new_draft(template)
    publishing.save_variables(version, [NAME])
    publishing.save_content(version, locale="en", channel="email", words=MAIL)
    return version


@pytest.fixture
def published(draft):
    publishing.publish(draft)
    return draft


def words(version):
    return {(each.locale, each.channel): (each.subject, each.html, each.text) for each in version.contents.all()}


def again(row):
    """The same row as another process would read it."""
    return type(row).objects.get(pk=row.pk)


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_the_first_draft_is_empty(template):
    editor = UserFactory()
    draft = publishing.new_draft(template, by=editor)

    assert (draft.number, draft.state, draft.created_by) == (1, State.DRAFT, editor)
    assert (draft.variables, words(draft)) == ([], {})


def test_there_is_one_draft_at_a_time(template):
    publishing.new_draft(template)

    with pytest.raises(DraftExists):
        publishing.new_draft(template)
    publishing.new_draft(TemplateFactory())


def test_the_next_draft_is_a_copy_of_the_live_version(published):
    draft = publishing.new_draft(published.template)

    assert (draft.number, draft.state) == (2, State.DRAFT)
    assert draft.variables == published.variables
    assert words(draft) == words(published)
    assert words(draft)[("en", "email")][0] == "Hi {{ name }}"


def test_the_live_version_is_the_live_one_also_for_whoever_read_the_template_before(template, published):
    assert template.live_version is None  # this copy of the row is old

    assert words(publishing.new_draft(template)) == words(published)


def test_a_draft_can_begin_with_any_version(published):
    second = publishing.new_draft(published.template)
    publishing.save_content(second, locale="en", channel="email", words=MAIL | {"subject": "Good day"})
    publishing.publish(second)

    third = publishing.new_draft(published.template, from_version=published)

    assert third.number == 3
    assert words(third)[("en", "email")][0] == "Hi {{ name }}"


def test_the_copy_is_a_copy(published):
    draft = publishing.new_draft(published.template)
    publishing.save_content(draft, locale="en", channel="email", words=MAIL | {"subject": "Changed"})
    publishing.save_variables(draft, [])

    assert words(again(published))[("en", "email")][0] == "Hi {{ name }}"
    assert again(published).variables != []


def test_numbers_are_not_used_twice(published):
    publishing.new_draft(published.template).delete()
    draft = publishing.new_draft(published.template)
    publishing.save_content(draft, locale="de", channel="email", words=MAIL)
    publishing.publish(draft)

    assert publishing.new_draft(published.template).number == 3


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_editors_at_once_one_gets_the_draft(template):
    gate = threading.Barrier(5)

    def ask(_):
        gate.wait(timeout=30)
        try:
            return publishing.new_draft(template).number
        except DraftExists:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as editors:
        drafts = list(editors.map(ask, range(5)))

    assert sorted(drafts, key=bool) == [None] * 4 + [1]


# --- words and variables of a draft -----------------------------------------------------------------------------------


def test_words_are_kept_per_locale_and_channel(draft):
    publishing.save_content(draft, locale="de", channel="email", words=MAIL | {"subject": "Hallo"})
    publishing.save_content(draft, locale="en", channel="push", words={"title": "Hi", "body": "Hello"})
    publishing.save_content(draft, locale="de", channel="email", words=MAIL | {"subject": "Servus"})

    assert {key: subject for key, (subject, _, _) in words(draft).items()} == {
        ("de", "email"): "Servus",
        ("en", "email"): "Hi {{ name }}",
        ("en", "push"): "",
    }


def test_what_is_left_out_becomes_empty(draft):
    publishing.save_content(draft, locale="en", channel="email", words={"subject": "Only this"})

    assert words(draft) == {("en", "email"): ("Only this", "", "")}


@pytest.mark.parametrize(("given", "kept"), [("pt-br", "pt-BR"), ("EN", "en"), ("zh_hant_tw", "zh-Hant-TW")])
def test_a_locale_is_kept_in_its_usual_letters(draft, given, kept):
    """The choice of words looks for these."""
    publishing.save_content(draft, locale=given, channel="email", words=MAIL)

    assert (kept, "email") in words(draft)


def test_what_is_no_locale_is_refused(draft):
    with pytest.raises(ValueError, match="locale"):
        publishing.save_content(draft, locale="german!", channel="email", words=MAIL)


def test_variables_are_kept_in_their_full_shape(draft):
    publishing.save_variables(draft, [{"name": "link", "type": "url"}])

    assert again(draft).variables == [
        {
            "name": "link",
            "type": "url",
            "required": False,
            "default": None,
            "example": None,
            "description": "",
            "sensitive": False,
        }
    ]


def test_a_wrong_declaration_changes_nothing(draft):
    with pytest.raises(DeclarationInvalid):
        publishing.save_variables(draft, [{"name": "Not A Name"}])

    assert [each["name"] for each in again(draft).variables] == ["name"]


# --- publishing -------------------------------------------------------------------------------------------------------


def test_a_published_version_is_live(draft):
    editor = UserFactory()
    publishing.publish(draft, by=editor, note="First words")

    version = again(draft)
    assert (version.state, version.note, version.created_by) == (State.PUBLISHED, "First words", editor)
    assert version.published_at == draft.published_at is not None
    assert again(version.template).live_version == version


def test_who_made_the_draft_stays_its_author(template):
    author = UserFactory()
    draft = publishing.new_draft(template, by=author)
    publishing.save_content(draft, locale="en", channel="email", words={"subject": "Hi", "html": "<p>Hi</p>"})
    publishing.publish(draft, by=UserFactory())

    assert again(draft).created_by == author


def test_the_version_before_is_retired(published):
    second = publishing.new_draft(published.template)
    publishing.publish(second)

    assert (again(published).state, again(second).state) == (State.RETIRED, State.PUBLISHED)
    assert again(published.template).live_version == second


def test_publishing_the_live_version_again_does_nothing(published):
    before = again(published).published_at
    publishing.publish(again(published), note="Once more")

    assert (again(published).published_at, again(published).note) == (before, "")


def test_a_retired_version_does_not_come_back(published):
    publishing.publish(publishing.new_draft(published.template))

    with pytest.raises(VersionIsFixed):
        publishing.publish(again(published))


def test_a_missing_text_part_is_made_of_the_html(draft):
    publishing.save_content(draft, locale="de", channel="email", words=MAIL | {"text": "Von Hand"})
    publishing.publish(draft)

    texts = {locale: text for (locale, _), (_, _, text) in words(again(draft)).items()}
    assert texts == {"de": "Von Hand", "en": "Hello {{ name }}"}


def test_a_text_part_that_has_lost_half_a_tag_blocks_publishing(draft):
    html = '<p>Hello</p><div style="display:none">{% if name %}</div><p>{{ name }}{% endif %}</p>'
    publishing.save_content(draft, locale="en", channel="email", words=MAIL | {"html": html})

    with pytest.raises(PublishBlocked) as blocked:
        publishing.publish(draft)
    assert [(each.code, each.path) for each in blocked.value.findings] == [("syntax", "contents/en/email/text")]
    assert again(draft).state == State.DRAFT


def test_a_version_is_looked_at_once(draft, monkeypatch):
    looked, check = [], publishing.check_version
    monkeypatch.setattr(publishing, "check_version", lambda *args, **how: looked.append(1) or check(*args, **how))
    publishing.publish(draft)
    assert len(looked) == 1


def test_errors_block_publishing_and_leave_everything_as_it_was(published):
    draft = publishing.new_draft(published.template)
    publishing.save_content(draft, locale="de", channel="email", words={"subject": "{{ nmae }}", "html": "{% if %}"})

    with pytest.raises(PublishBlocked) as caught:
        publishing.publish(draft)

    assert {(each.code, each.path) for each in caught.value.findings} == {
        ("variable_unknown", "contents/de/email/subject"),
        ("syntax", "contents/de/email/html"),
    }
    assert again(draft).state == State.DRAFT
    assert again(published.template).live_version == published
    assert words(again(draft))[("de", "email")][2] == ""


def test_warnings_do_not(draft):
    publishing.save_variables(draft, [NAME, {"name": "unused"}])
    publishing.publish(draft)

    assert again(draft).state == State.PUBLISHED


def test_an_empty_draft_cannot_be_published(template):
    with pytest.raises(PublishBlocked):
        publishing.publish(publishing.new_draft(template))


# --- published versions never change ----------------------------------------------------------------------------------


@pytest.fixture(params=["published", "retired"])
def fixed(request, published):
    if request.param == "retired":
        publishing.publish(publishing.new_draft(published.template))
    return again(published)


def test_its_words_cannot_be_written(fixed):
    for locale in ("en", "de"):
        with pytest.raises(VersionIsFixed):
            publishing.save_content(fixed, locale=locale, channel="email", words=MAIL)


def test_its_variables_cannot_be_written(fixed):
    with pytest.raises(VersionIsFixed):
        publishing.save_variables(fixed, [])


def test_not_even_around_the_use_cases(fixed):
    content = fixed.contents.get()
    content.subject = "Changed"
    with pytest.raises(VersionIsFixed):
        content.save()
    with pytest.raises(VersionIsFixed):
        TemplateContent.objects.create(version=fixed, locale="de", channel="email", subject="New")
    with pytest.raises(VersionIsFixed):
        content.delete()

    assert words(again(fixed)) == {("en", "email"): ("Hi {{ name }}", "<p>Hello {{ name }}</p>", "Hello {{ name }}")}


def test_not_even_its_variables_around_the_use_cases(fixed):
    fixed.variables = []
    with pytest.raises(VersionIsFixed):
        fixed.save()

    assert again(fixed).variables != []


def test_not_even_by_somebody_who_read_it_when_it_was_a_draft(draft):
    """An editor's page is open while a colleague publishes."""
    mine, content = again(draft), draft.contents.get()
    stale_content = TemplateContent.objects.select_related("version").get(pk=content.pk)
    publishing.publish(draft)
    assert mine.state == State.DRAFT

    with pytest.raises(VersionIsFixed):
        publishing.save_content(mine, locale="en", channel="email", words=MAIL | {"subject": "Changed"})
    with pytest.raises(VersionIsFixed):
        publishing.save_variables(mine, [])
    stale_content.subject = "Changed"
    with pytest.raises(VersionIsFixed):
        stale_content.save()
    assert words(again(draft))[("en", "email")][0] == "Hi {{ name }}"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_whoever_publishes_waits_for_whoever_is_writing(draft):
    def publish():
        try:
            publishing.publish(again(draft))
        finally:
            connections.close_all()

    colleague = threading.Thread(target=publish)
    with transaction.atomic():
        publishing.save_content(draft, locale="en", channel="email", words=MAIL | {"subject": "In time"})
        colleague.start()
        colleague.join(timeout=0.5)
        assert colleague.is_alive()
    colleague.join(timeout=30)

    assert again(draft).state == State.PUBLISHED
    assert words(again(draft))[("en", "email")][0] == "In time"


def test_what_was_refused_is_said_in_words(fixed):
    with pytest.raises(VersionIsFixed, match="never changes"):
        publishing.save_variables(fixed, [])


def test_a_note_may_still_be_written(fixed):
    fixed.note = "Replaced because of a typo"
    fixed.save()

    assert again(fixed).note == "Replaced because of a typo"


# --- what the tables hold by themselves -------------------------------------------------------------------------------


def refused(make):
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        return True
    return False


def test_one_version_per_number(published):
    assert refused(lambda: TemplateVersionFactory(template=published.template, number=1))


def test_one_draft_per_template(draft):
    assert refused(lambda: TemplateVersionFactory(template=draft.template, number=2))


def test_one_live_version_per_template(published):
    assert refused(lambda: TemplateVersionFactory(template=published.template, number=2, state=State.PUBLISHED))


def test_one_content_per_locale_and_channel(draft):
    assert refused(lambda: TemplateContentFactory(version=draft, locale="en"))


def test_one_template_per_code(template):
    assert refused(lambda: TemplateFactory(code=template.code))
    assert Template.objects.count() == 1
