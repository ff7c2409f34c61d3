"""Words and values become a message: parts apart, headers on one line, bounded, in the language of the reader."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest
from django.utils.translation import get_language, override

from templates_app import rendering
from templates_app.rendering import EmailWords, PushWords, RenderingFailed, render_email, render_push

WORDS = EmailWords(
    subject="Welcome, {{ name }}",
    preheader="One step, {{ name }}",
    html='<html><body class="a>b"><p>Hi {{ name }}, <a href="{{ link }}">confirm</a></p></body></html>',
    text="Hi {{ name }}: {{ link }}",
)
VALUES = {"name": "O'Brien & Co", "link": "https://a.example/v?x=1&y=2"}


@pytest.fixture
def kept(monkeypatch):
    """An empty store of compiled parts."""
    store = rendering._KeptTemplates(rendering.KEPT_SOURCE)
    monkeypatch.setattr(rendering, "_kept_templates", store)
    return store


@pytest.fixture
def compiled(monkeypatch):
    """The sources that were compiled, in order."""
    sources = []
    for name in ("compile_text", "compile_html"):
        original = getattr(rendering, name)
        monkeypatch.setattr(
            rendering, name, lambda source, original=original: sources.append(source) or original(source)
        )
    return sources


def email(values=VALUES, *, locale="en", cache_key=None, **words):
    return render_email(EmailWords(**{"subject": "s"} | words), values, locale=locale, cache_key=cache_key)


def failure(values=VALUES, **words):
    with pytest.raises(RenderingFailed) as failed:
        email(values, **words)
    return failed.value


class TestEmail:
    def test_every_part_is_filled_and_only_html_is_escaped(self):
        mail = render_email(WORDS, VALUES, locale="en")
        assert mail.subject == "Welcome, O'Brien & Co"
        assert mail.preheader == "One step, O'Brien & Co"
        assert mail.text == "Hi O'Brien & Co: https://a.example/v?x=1&y=2"
        assert 'Hi O&#x27;Brien &amp; Co, <a href="https://a.example/v?x=1&amp;y=2">confirm</a>' in mail.html
        assert mail.cut == ()
        with pytest.raises(FrozenInstanceError):
            mail.subject = "x"

    def test_the_preheader_is_the_first_and_hidden_element_of_the_body(self):
        mail = render_email(WORDS, VALUES, locale="en")
        begin = '<html><body class="a>b"><div style="display:none'
        assert mail.html.startswith(begin)
        assert ">One step, O&#x27;Brien &amp; Co</div><p>Hi" in mail.html

    def test_a_preheader_needs_no_body_tag_and_html_needs_no_preheader(self):
        assert email(html="<p>a</p>", preheader="x").html.endswith(">x</div><p>a</p>")
        assert email(html="<p>a</p>").html == "<p>a</p>"
        assert email(html="<p>a</p>", preheader="{{ none }}", values={"none": None}).html == "<p>a</p>"
        assert email(html='<body "' + "<body " * 10, preheader="x").html.startswith("<div")
        assert email(preheader="x", text="t").html == ""

    @pytest.mark.parametrize(
        "gap", ["\n", "\r\n", " \t ", "\x00", "\x7f", "\x85", "\u2028", "\r\nBcc: x@y.example\r\n"]
    )
    def test_a_subject_is_one_line(self, gap):
        mail = email({"name": f"A{gap}B"}, subject="Hi\n{{ name }}", preheader="{{ name }}")
        expected = "A Bcc: x@y.example B" if "Bcc" in gap else "A B"
        assert (mail.subject, mail.preheader) == (f"Hi {expected}", expected)

    def test_a_blank_that_does_not_break_stays(self):
        assert email(subject=" Bonjour\xa0! ").subject == "Bonjour\xa0!"

    def test_a_subject_that_is_too_long_is_cut_and_named(self):
        mail = email({"name": "x" * 300}, subject="{{ name }}", preheader="{{ name }}", html="<p>{{ name }}</p>")
        assert mail.subject == "x" * 254 + "…"
        assert mail.cut == ("subject", "preheader")
        assert "x" * 300 in mail.html
        exact = email({"name": "x" * 255}, subject="{{ name }}")
        assert (exact.subject, exact.cut) == ("x" * 255, ())

    def test_without_text_it_is_made_from_the_html(self):
        mail = email(html="<style>x</style><h1>Hi {{ name }}</h1><p><a href='{{ link }}'>Confirm</a></p>")
        assert mail.text == "Hi O'Brien & Co\n\nConfirm (https://a.example/v?x=1&y=2)"

    def test_empty_lines_left_by_tags_are_taken_out_of_the_text(self):
        source = "a\n\n{% if none %}\nb\n{% endif %}\n\nc\n\nd"
        assert email({"none": None}, text=source).text == "a\n\nc\n\nd"

    @pytest.mark.parametrize("part", ["subject", "preheader", "html", "text"])
    def test_a_failure_names_its_part_and_line_and_no_value(self, part):
        failed = failure({"name": "tell-nobody"}, **{part: "x\n{{ name|date }}"})
        assert (failed.part, failed.line) == (part, 2)
        assert str(failed) == f"{part}, line 2: {failed.message}"
        assert "tell-nobody" not in str(failed)
        syntax = failure(**{part: "\n\n{% load x %}"})
        assert (syntax.part, syntax.line, syntax.message) == (part, 3, "There is no tag 'load' here.")

    def test_a_missing_value_is_a_failure(self):
        assert failure({}, subject="Hi {{ name }}").message == "name has no value."

    def test_html_that_cannot_be_read_for_its_text_is_a_failure(self):
        assert failure(html="<p>{{ name</p>").part == "html"

    def test_a_tag_cannot_begin_in_one_part_and_end_in_another(self):
        assert failure(subject="{% if name %}", html="{% endif %}", text="t").part == "subject"

    @pytest.mark.parametrize("value", [object(), b"x", {1: 2}, [object()]])
    def test_values_that_are_no_data_are_a_failure(self, value):
        assert failure({"name": value}, subject="Hi").part == "variables"

    def test_a_link_that_would_run_something_is_a_failure(self):
        failed = failure({"link": "javascript:alert(1)"}, html='<a href="{{ link }}">x</a>', text="t")
        assert failed.part == "html"

    def test_the_values_are_not_changed(self):
        values = {"rows": [{"a": 1}], "name": "x"}
        email(values, text="{% for r in rows %}{{ r.a }}{% endfor %}{% with name='y' %}{{ name }}{% endwith %}")
        assert values == {"rows": [{"a": 1}], "name": "x"}

    def test_all_parts_share_the_time_of_the_message(self, monkeypatch):
        readings = []
        monkeypatch.setattr(
            rendering.SafeTemplate, "fill", lambda self, values, *, until: readings.append(until) or "x"
        )
        render_email(WORDS, VALUES, locale="en")
        assert len(readings) == 4
        assert len(set(readings)) == 1


class TestLanguage:
    MOMENT = datetime(2026, 3, 5, 12, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("locale", "expected"),
        [
            ("en", "March 1234.5"),
            ("de", "März 1234,5"),
            ("de-AT", "März 1234,5"),
            ("pt-BR", "Março 1234,5"),
            ("xx", "March 1234.5"),
            ("zz-Latn-ZZ", "March 1234.5"),
            ("", "March 1234.5"),
        ],
    )
    def test_months_and_numbers_are_written_in_the_language_of_the_locale(self, locale, expected):
        mail = email({"when": self.MOMENT, "price": 1234.5}, subject="{{ when|date:'F' }} {{ price }}", locale=locale)
        assert mail.subject == expected

    def test_the_language_around_is_as_before(self):
        with override("fr"):
            email({"when": self.MOMENT}, subject="{{ when }}", locale="de")
            assert get_language() == "fr"
            failure({}, subject="{{ when }}")
            assert get_language() == "fr"

    def test_unknown_locales_load_no_catalogues(self):
        from django.utils.translation import trans_real

        before = set(trans_real._translations)
        for number in range(20):
            email(locale=f"xx-{number:03}")
        assert set(trans_real._translations) <= before | {"en"}


class TestKeptTemplates:
    def test_parts_of_a_published_version_are_compiled_once(self, kept, compiled):
        for _ in range(3):
            render_email(WORDS, VALUES, locale="en", cache_key="v1")
        assert compiled == [WORDS.subject, WORDS.preheader, WORDS.html, WORDS.text]

    def test_without_a_key_nothing_is_kept(self, kept, compiled):
        for _ in range(2):
            render_email(WORDS, VALUES, locale="en")
        assert len(compiled) == 8
        assert not kept._kept

    def test_versions_locales_channels_and_parts_are_kept_apart(self, kept):
        words = EmailWords(subject="e {{ name }}", html="<p>{{ name }}</p>", text="t")
        push = PushWords(title="p {{ name }}", body="b")
        for key in ("v1", "v2"):
            for locale in ("en", "de"):
                assert render_email(words, VALUES, locale=locale, cache_key=key).subject == "e O'Brien & Co"
                assert render_push(push, VALUES, locale=locale, cache_key=key).title == "p O'Brien & Co"
        assert len(kept._kept) == 2 * 2 * (3 + 2)

    def test_a_key_given_to_changing_words_never_shows_old_ones(self, kept):
        for text in ("one", "two", "one"):
            assert email(subject=text, cache_key="draft").subject == text
        assert len(kept._kept) == 1
        assert kept._length == len("one") + 500

    def test_what_is_kept_is_bounded_and_the_least_used_goes_first(self, kept, compiled):
        kept._most = 3 * 600
        for key in ("a", "b", "c"):
            email(subject="x" * 100, cache_key=key)
        email(subject="x" * 100, cache_key="a")
        email(subject="x" * 100, cache_key="d")
        assert [place.version_id for place in kept._kept] == ["c", "a", "d"]
        assert kept._length == 3 * 600
        email(subject="x" * 5_000, cache_key="e")
        assert kept._length <= kept._most

    def test_a_kept_template_renders_each_message_with_its_own_values(self, kept):
        for name in ("Ann", "Bob"):
            assert email({"name": name}, subject="{{ name }}", cache_key="v").subject == name


class TestPush:
    WORDS = PushWords(
        title="Hi {{ name }}",
        body="Your order {{ id }}\nis on its way",
        image="https://a.example/{{ id }}.png",
        link="{{ link }}",
        data={"screen": "orders", "id": "{{ id }}"},
    )
    VALUES = VALUES | {"id": 7}

    def test_every_part_and_every_value_of_data_is_filled_without_escaping(self):
        push = render_push(self.WORDS, self.VALUES, locale="en")
        assert push.title == "Hi O'Brien & Co"
        assert push.body == "Your order 7\nis on its way"
        assert push.image == "https://a.example/7.png"
        assert push.link == "https://a.example/v?x=1&y=2"
        assert push.data == {"screen": "orders", "id": "7"}
        assert push.cut == ()

    def test_title_and_body_are_enough(self):
        push = render_push(PushWords("t", "b"), {}, locale="en")
        assert (push.title, push.body, push.image, push.link, push.data) == ("t", "b", "", "", {})

    def test_the_title_is_one_line_and_cut(self):
        push = render_push(PushWords("a\n{{ name }}", "b"), {"name": "x" * 300}, locale="en")
        assert push.title == "a " + "x" * 252 + "…"
        assert push.cut == ("title",)

    @pytest.mark.parametrize("part", ["image", "link"])
    def test_an_address_with_another_scheme_is_a_failure(self, part):
        with pytest.raises(RenderingFailed) as failed:
            render_push(PushWords("t", "b", **{part: "{{ x }}"}), {"x": "Javascript:alert(1)"}, locale="en")
        assert failed.value.part == part

    def test_a_failure_in_data_names_its_key(self):
        with pytest.raises(RenderingFailed) as failed:
            render_push(PushWords("t", "b", data={"screen": "{{ x }}"}), {}, locale="en")
        assert failed.value.part == "data/screen"

    def test_a_message_that_no_push_service_takes_is_a_failure(self):
        fits = render_push(PushWords("t", "{{ x }}"), {"x": "€" * 1_300}, locale="en")
        assert len(fits.body) == 1_300
        with pytest.raises(RenderingFailed, match="4096 bytes"):
            render_push(PushWords("t", "{{ x }}"), {"x": "€" * 1_400}, locale="en")
        with pytest.raises(RenderingFailed, match="4096 bytes"):
            render_push(PushWords("t", "b", data={"a": "{{ x }}"}), {"x": "x" * 4_100}, locale="en")


def test_the_words_engine_can_be_imported_without_settings_or_models():
    modules = "rendering, safe_engine, variables, text_part, locales"
    script = f"import sys; from templates_app import {modules}; assert 'templates_app.models' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, env={"DJANGO_SETTINGS_MODULE": ""})


def test_the_buttons_of_a_push_are_filled_in():
    words = PushWords(
        title="x", body="y", actions=[{"title": "Track {{ n }}", "link": "https://e.com/{{ n }}"}, {"title": "Later"}]
    )
    assert render_push(words, {"n": 7}, locale="en").actions == (
        {"title": "Track 7", "link": "https://e.com/7"},
        {"title": "Later"},
    )
    with pytest.raises(RenderingFailed, match="actions/0/link"):
        render_push(PushWords(title="x", body="y", actions=[{"link": "{{ n }}"}]), {"n": "javascript:x"}, locale="en")
