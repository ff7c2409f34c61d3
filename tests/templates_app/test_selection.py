"""Which words: the live or the pinned version, in the closest locale."""

from types import SimpleNamespace

import pytest

from templates_app import publishing
from templates_app.models import Template
from templates_app.rendering import EmailWords, PushWords
from templates_app.selection import (
    ChannelNotInTemplate,
    SelectionRefused,
    TemplateArchived,
    TemplateNotFound,
    TemplateNotPublished,
    TemplateVersionNotFound,
    choose,
    words_of,
)
from tests.factories import TemplateFactory
from users.models import Category

pytestmark = pytest.mark.django_db


def mail(subject="Hi"):
    return {"subject": subject, "preheader": "Soon", "html": f"<p>{subject}</p>", "text": subject}


def push(title="Hi"):
    return {"title": title, "body": "You", "image": "https://e.com/i.png", "link": "https://e.com", "data": {"a": "b"}}


def new_version(template, contents, *, published=True):
    draft = publishing.new_draft(template)
    for (locale, channel), words in contents.items():
        publishing.save_content(draft, locale=locale, channel=channel, words=words)
    if published:
        publishing.publish(draft)
    return draft


@pytest.fixture
def template():
    return TemplateFactory(code="welcome", default_locale="en")


@pytest.fixture
def live(template):
    return new_version(template, {("en", "email"): mail()})


# --- which version ----------------------------------------------------------------------------------------------------


def test_the_live_version(live):
    chosen = choose("welcome", None)

    assert (chosen.template.code, chosen.words.version_id, chosen.words.number) == ("welcome", live.pk, 1)


def test_after_publishing_the_new_one_at_once(template, live):
    choose("welcome", None)
    second = new_version(template, {("en", "email"): mail("Good day")})

    assert choose("welcome", None).words.version_id == second.pk


def test_any_published_version_can_be_pinned(template, live):
    second = new_version(template, {})

    assert choose("welcome", pinned=1).words.version_id == live.pk  # retired by now
    assert choose("welcome", pinned=2).words.version_id == second.pk


@pytest.mark.parametrize("number", [2, 3, 0, 2_147_483_647])
def test_drafts_and_missing_versions_cannot(template, live, number):
    new_version(template, {}, published=False)  # number 2

    with pytest.raises(TemplateVersionNotFound, match=f"welcome version {number}"):
        choose("welcome", pinned=number)


def test_the_version_of_another_template_cannot(live):
    other = TemplateFactory(code="other")
    new_version(other, {("en", "email"): mail()})
    new_version(other, {})

    with pytest.raises(TemplateVersionNotFound):
        choose("welcome", pinned=2)


@pytest.mark.parametrize("code", ["nothing", "Welcome", "", "welcome "])
def test_an_unknown_code(live, code):
    with pytest.raises(TemplateNotFound):
        choose(code, None)


@pytest.mark.parametrize("pinned", [None, 1])
def test_a_template_out_of_use(live, pinned):
    Template.objects.update(is_archived=True)

    with pytest.raises(TemplateArchived):
        choose("welcome", pinned=pinned)


def test_a_template_that_was_never_published(template):
    new_version(template, {}, published=False)

    with pytest.raises(TemplateNotPublished):
        choose("welcome", None)
    with pytest.raises(TemplateVersionNotFound):
        choose("welcome", pinned=1)


def test_every_refusal_is_one_of_a_kind():
    """Who accepts requests asks for them together."""
    refusals = [TemplateNotFound, TemplateArchived, TemplateNotPublished, TemplateVersionNotFound, ChannelNotInTemplate]

    assert all(issubclass(each, SelectionRefused) for each in refusals)


# --- which words ------------------------------------------------------------------------------------------------------


def test_all_words_of_a_version(template):
    version = new_version(template, {("en", "email"): mail(), ("de", "email"): mail("Hallo"), ("en", "push"): push()})
    contents = words_of(version.pk).contents

    assert contents.keys() == {("en", "email"), ("de", "email"), ("en", "push")}
    assert contents["de", "email"] == EmailWords(subject="Hallo", preheader="Soon", html="<p>Hallo</p>", text="Hallo")
    assert contents["en", "push"] == PushWords(
        title="Hi", body="You", image="https://e.com/i.png", link="https://e.com", data={"a": "b"}
    )


def test_words_are_read_once(live, django_assert_num_queries):
    words_of(live.pk)

    with django_assert_num_queries(0):
        words_of(live.pk)
    with django_assert_num_queries(1):
        choose("welcome", None)


def test_what_is_kept_cannot_be_changed_by_who_reads_it(live):
    with pytest.raises(TypeError):
        words_of(live.pk).contents["en", "email"] = EmailWords(subject="Changed")


@pytest.fixture
def words(template):
    locales = ["en", "de", "pt", "pt-PT", "zh-Hant"]
    contents = {(locale, "email"): mail(locale) for locale in locales}
    version = new_version(template, contents | {("en", "push"): push(), ("sv", "push"): push()})
    return words_of(version.pk)


@pytest.mark.parametrize(
    ("requested", "persons", "chosen"),
    [
        ("de", "pt", "de"),
        ("pt-BR", "de", "pt"),
        ("pt-PT", "de", "pt-PT"),
        ("zh-Hant-TW", "de", "zh-Hant"),
        ("fr", "pt-BR", "pt"),
        (None, "de-AT", "de"),
        (None, "pt-PT", "pt-PT"),
        (None, "fr", "en"),
        (None, "", "en"),
        (None, "no locale!", "en"),
        ("fr-CA", "it-IT", "en"),
        ("sv", "de", "de"),  # Swedish has words for push only
        ("DE-at", "fr", "de"),
    ],
)
def test_the_closest_locale(words, requested, persons, chosen):
    assert words.locale_for("email", requested=requested, persons=persons, default="en") == chosen


def test_every_channel_has_its_own_locales(words):
    assert words.locale_for("push", requested="sv", persons="de", default="en") == "sv"
    assert words.locale_for("push", requested=None, persons="de", default="en") == "en"


def test_without_words_for_the_channel(live):
    with pytest.raises(ChannelNotInTemplate, match="push"):
        words_of(live.pk).locale_for("push", requested=None, persons="en", default="en")


# --- as of up to a second ago -----------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("users.lately.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_within_a_second_the_database_is_asked_once(live, clock, django_assert_num_queries):
    choose("welcome", None)
    with django_assert_num_queries(0):
        choose("welcome", None)


def test_what_another_process_changes_is_seen_within_a_second(live, clock):
    choose("welcome", None)
    Template.objects.update(is_archived=True)  # past this process's own notice

    clock[0] += 1
    with pytest.raises(TemplateArchived):
        choose("welcome", None)


def test_what_this_process_changes_is_seen_at_once(template, live, clock):
    assert not choose("welcome", None).template.category.is_mandatory
    category = Category.objects.get(code="updates")
    category.is_mandatory = True
    category.save()
    assert choose("welcome", None).template.category.is_mandatory

    template.is_archived = True
    template.save(update_fields=["is_archived"])
    with pytest.raises(TemplateArchived):
        choose("welcome", None)


def test_a_template_that_is_made_a_moment_after_it_was_asked_for_is_found(clock):
    with pytest.raises(TemplateNotFound):
        choose("later", None)
    new_version(TemplateFactory(code="later"), {("en", "email"): mail()})

    assert choose("later", None).template.code == "later"
