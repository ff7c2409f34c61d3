"""What blocks publishing, and what only warns."""

import pytest

from templates_app.content_checks import Finding, check_version
from tests.factories import TemplateContentFactory, TemplateFactory, TemplateVersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft():
    return TemplateVersionFactory(template=TemplateFactory(default_locale="en"), variables=[{"name": "name"}])


def found(version):
    """(level, code, path) of each finding."""
    return [(each.level, each.code, each.path) for each in check_version(version)]


def mail(version, locale="en", **parts):
    words = {"subject": "Hi {{ name }}", "html": "<p>Hi</p>", "text": "Hi"}
    return TemplateContentFactory(version=version, locale=locale, **words | parts)


def push(version, locale="en", **parts):
    words = {"title": "Hi {{ name }}", "body": "You"}
    return TemplateContentFactory(version=version, locale=locale, channel="push", **words | parts)


def test_nothing_to_say(draft):
    mail(draft)
    mail(draft, "de")
    for locale in ("en", "de"):
        push(draft, locale, image="https://e.com/{{ name }}", link="https://e.com", data={"screen": "{{ name }}"})

    assert found(draft) == []


# --- errors -----------------------------------------------------------------------------------------------------------


def test_a_version_without_words(draft):
    assert ("error", "missing_default_locale", "contents/en/email") in found(draft)


def test_every_channel_needs_the_language_of_last_resort(draft):
    mail(draft)
    push(draft, "de")

    assert found(draft)[0] == ("error", "missing_default_locale", "contents/en/push")


@pytest.mark.parametrize(("make", "part"), [(mail, "subject"), (mail, "html"), (push, "title"), (push, "body")])
@pytest.mark.parametrize("empty", ["", "  \n"])
def test_parts_no_message_can_do_without(draft, make, part, empty):
    content = make(draft, **{part: empty})
    findings = found(draft)

    assert ("error", "missing_field", f"contents/en/{content.channel}/{part}") in findings
    assert {code for level, code, _ in findings if level == "error"} == {"missing_field"}


@pytest.mark.parametrize("part", ["preheader", "text"])
def test_parts_that_may_be_empty(draft, part):
    mail(draft, **{part: ""})

    assert found(draft) == []


@pytest.mark.parametrize(
    ("make", "part"),
    [
        *((mail, part) for part in ("subject", "preheader", "html", "text")),
        *((push, part) for part in ("title", "body", "image", "link")),
    ],
)
def test_every_part_is_compiled(draft, make, part):
    content = make(draft, **{part: "{{ name }}\n{% if name %}"})
    [finding] = [each for each in check_version(draft) if each.level == "error"]

    assert finding.code == "syntax"
    assert finding.path == f"contents/en/{content.channel}/{part}"
    assert finding.line == 2
    assert finding.detail


def test_the_data_of_a_push_is_compiled_too(draft):
    push(draft, data={"screen": "{{ nmae }}"})

    assert found(draft) == [("error", "variable_unknown", "contents/en/push/data/screen")]


def test_a_variable_nobody_declared(draft):
    mail(draft, html="<p>\n{{ nmae }} {{ name }}\n{% for each in things %}{{ each.title }}{% endfor %}</p>")

    assert [each for each in check_version(draft) if each.level == "error"] == [
        Finding(
            level="error",
            code="variable_unknown",
            path="contents/en/email/html",
            line=2,
            detail="{{ nmae }} is not declared.",
        ),
        Finding(
            level="error",
            code="variable_unknown",
            path="contents/en/email/html",
            line=3,
            detail="{{ things }} is not declared.",
        ),
    ]


def test_all_of_it_at_once(draft):
    mail(draft, "de", subject="", html="{{ a }}", text="{% load x %}")
    findings = found(draft)

    assert {each for each in findings if each[0] == "error"} == {
        ("error", "missing_default_locale", "contents/en/email"),
        ("error", "missing_field", "contents/de/email/subject"),
        ("error", "variable_unknown", "contents/de/email/html"),
        ("error", "syntax", "contents/de/email/text"),
    }


# --- warnings ---------------------------------------------------------------------------------------------------------


def test_a_variable_nobody_uses(draft):
    mail(draft, subject="Hi")

    assert found(draft) == [("warning", "variable_unused", "variables/name")]


def test_a_mail_that_inboxes_cut(draft):
    mail(draft, html="x" * (102 * 1024))
    assert found(draft) == []

    mail(draft, "de", html="ä" * (51 * 1024) + "x")
    assert found(draft) == [("warning", "html_over_102_kb", "contents/de/email/html")]


def test_errors_come_first(draft):
    mail(draft, subject="{{ nmae }}", html="x" * (103 * 1024))
    levels = [level for level, _, _ in found(draft)]

    assert levels == sorted(levels)
    assert set(levels) == {"error", "warning"}
