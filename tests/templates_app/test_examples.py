"""The examples are data; these tests read each of them in every language and channel, as a company would use it."""

import json
import re
from html import unescape

import pytest
from django.core.management import CommandError, call_command

from templates_app import examples, layouts
from templates_app.content_checks import check_version
from templates_app.examples import Company, CompanyInvalid, UnknownExample, add_examples, example_codes, read_example
from templates_app.models import Layout, Template, TemplateContent
from templates_app.preview import example_values
from templates_app.rendering import render_email, render_push
from templates_app.selection import words_in
from templates_app.variables import parse_variables, typed_values
from tests.factories import TemplateFactory

LOCALES = ["ar", "de", "en", "es", "fr"]
CODES = {
    *("welcome_email", "verify_address", "password_reset", "magic_link", "security_alert", "receipt"),
    *("order_shipped", "delivery_update", "payment_failed", "invitation", "weekly_digest", "maintenance_notice"),
}
WITH_PUSH = {"order_shipped", "delivery_update", "security_alert", "payment_failed", "maintenance_notice"}
KEYS = [
    *("code", "name", "description", "category", "default_locale", "layout", "ttl_seconds", "on_unknown"),
    *("variables", "contents"),
]
UNSUBSCRIBE = "https://app.example.com/unsubscribe/abc"
TEMPLATE_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
NAME = re.compile(r"\{[{%] *(?:for \w+ in |if )?([a-z_]+)")
HREF = re.compile(r'href="([^"]*)"')
FILES = [pytest.param(read_example(code), id=code) for code in sorted(CODES)]
CONTENTS = [
    pytest.param(read_example(code), locale, content, id=f"{code}-{locale}")
    for code in sorted(CODES)
    for locale, content in read_example(code)["contents"].items()
]


def strings_of(value):
    if isinstance(value, dict):
        return [text for each in value.values() for text in strings_of(each)]
    return [value] if isinstance(value, str) else []


def names_in(value):
    tags = " ".join(tag for text in strings_of(value) for tag in TEMPLATE_TAG.findall(text))
    return set(NAME.findall(tags)) - {"endif", "endfor", "empty", "item", "unsubscribe_link"}


def visible(html):
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)))


# --- as files
def test_the_examples_are_the_twelve_every_company_needs():
    assert set(example_codes()) == CODES


@pytest.mark.parametrize("file", FILES)
def test_a_file_has_the_known_keys_languages_and_channels(file):
    assert list(file) == KEYS
    assert sorted(file["contents"]) == LOCALES
    channels = ["email", "push"] if file["code"] in WITH_PUSH else ["email"]
    assert all(list(content) == channels for content in file["contents"].values())
    assert all(
        list(content["email"]) == ["subject", "preheader", "html", "text"] for content in file["contents"].values()
    )


@pytest.mark.parametrize("file", FILES)
def test_links_that_open_an_account_are_sensitive_and_short_lived(file):
    opens = {"verification_link": "welcome_email", "link": "verify_address password_reset magic_link invitation"}
    for variable in file["variables"]:
        assert variable["sensitive"] == (file["code"] in opens.get(variable["name"], "").split())
    assert (file["category"] == "security") == (
        file["code"] in {"verify_address", "password_reset", "magic_link", "security_alert"}
    )


@pytest.mark.parametrize(("file", "locale", "content"), CONTENTS)
def test_every_language_says_the_same(file, locale, content):
    english = file["contents"]["en"]
    for channel, words in content.items():
        for field in words:
            assert names_in({"": words[field]}) == names_in({"": english[channel][field]}), field
    assert sorted(HREF.findall(content["email"]["html"])) == sorted(HREF.findall(english["email"]["html"]))
    assert re.findall(r"<(\w+)", content["email"]["html"].replace("<bdi>", "")) == re.findall(
        r"<(\w+)", english["email"]["html"].replace("<bdi>", "")
    )


@pytest.mark.parametrize(("file", "locale", "content"), CONTENTS)
def test_the_text_says_as_much_as_the_html(file, locale, content):
    email = content["email"]
    assert names_in({"": email["text"]}) >= names_in({"": email["html"]})
    assert "\n--\n" in email["text"]
    assert "help@harbour.example" in email["text"]


@pytest.mark.parametrize(("file", "locale", "content"), CONTENTS)
def test_short_fields_are_short(file, locale, content):
    email, push = content["email"], content.get("push")
    assert 0 < len(TEMPLATE_TAG.sub("12:34", email["subject"])) <= 78
    assert 0 < len(email["preheader"]) <= 100
    if push:
        assert 0 < len(push["title"]) <= 65
        assert 0 < len(TEMPLATE_TAG.sub("12345678", push["body"])) <= 178


@pytest.mark.parametrize("file", FILES)
def test_french_puts_no_break_spaces_before_double_punctuation(file):
    content = file["contents"]["fr"]
    email = content["email"] | {"html": visible(content["email"]["html"])}
    words = "\n".join([*strings_of(email), *strings_of(content.get("push", {}))])
    words = re.sub(r"https?:|\d:\d", "", TEMPLATE_TAG.sub("x", words))
    assert re.findall(r"[^\u00a0][?!;:»]", words) == []


@pytest.mark.parametrize("file", FILES)
def test_arabic_uses_its_own_comma_and_question_mark(file):
    content = file["contents"]["ar"]
    words = "\n".join([*strings_of({**content["email"], "html": ""}), visible(content["email"]["html"])])
    assert re.findall(r"[\u0600-\u06ff}][,;?]", TEMPLATE_TAG.sub("}", words)) == []


@pytest.mark.parametrize(("file", "locale", "content"), CONTENTS)
def test_nothing_is_fetched_from_outside(file, locale, content):
    html = content["email"]["html"]
    assert not re.search(r"<(img|link|script|iframe|style)\b|url\(|@import|\bsrc=|background=|style=", html)


# --- installed
@pytest.mark.django_db
def test_every_message_in_every_language_is_complete():
    add_examples()
    contents = list(TemplateContent.objects.select_related("version__template__category", "version__layout"))
    assert len(contents) == 12 * 5 + 5 * 5
    for version in {each.version for each in contents}:
        assert [each for each in check_version(version) if each.level == "error"] == []
    for content in contents:
        declared = parse_variables(content.version.variables)
        values = typed_values(declared, example_values(declared)) | {"unsubscribe_link": UNSUBSCRIBE}
        where = str(content.version), content.locale
        if content.channel == "push":
            push = render_push(words_in(content), values, locale=content.locale)
            assert all([push.title, push.body, push.link.startswith("https://")]), where
            continue
        mail = render_email(words_in(content), values, locale=content.locale)
        direction = "rtl" if content.locale == "ar" else "ltr"
        assert len(mail.html.encode()) < 100_000, where
        assert f'<html lang="{content.locale}" dir="{direction}"' in mail.html, where
        assert f'<table class="page" role="presentation" lang="{content.locale}" dir="{direction}"' in mail.html, where
        assert re.search(rf'<td class="card"[^>]*text-align: {"right" if direction == "rtl" else "left"}', mail.html), (
            where
        )
        assert f"<title>{mail.subject.split(' ')[0]}" in mail.html, where
        assert mail.preheader in mail.html, where
        assert mail.html.count('<h1 style="') == 1, where
        assert "<h1>" in content.html, where
        assert mail.html.count("<table") - mail.html.count('role="presentation"') == ("receipt" in where[0]), where
        assert '<meta name="color-scheme" content="light dark">' in mail.html, where
        assert "@media (prefers-color-scheme: dark) {" in mail.html, where
        assert "@media (max-width: 620px) {" in mail.html, where
        assert (UNSUBSCRIBE in mail.html, UNSUBSCRIBE in mail.text) == (("weekly" in where[0]),) * 2, where
        for words in (mail.subject, mail.html, mail.text):
            assert not re.search(r"\{[{%]", words), where
        for address in HREF.findall(mail.html):
            assert unescape(address).split("?")[0] in mail.text or address.startswith("mailto:"), (where, address)
        assert mail.text.count("Harbour, 12 Quay Street, Port Example") == 1, where
        assert "\n\n\n" not in mail.text, where


# --- the use case and the command
@pytest.mark.django_db
def test_a_code_that_is_taken_is_left_alone():
    TemplateFactory(code="receipt", name="Ours")

    done = add_examples(["receipt", "invitation"])

    assert (done.added, done.skipped) == (("invitation",), ("receipt",))
    assert Template.objects.get(code="receipt").name == "Ours"


@pytest.mark.django_db
def test_an_unknown_code_adds_nothing_and_names_what_there_is():
    with pytest.raises(UnknownExample, match=r"There is no example recipt\. There are delivery_update, invitation"):
        add_examples(["invitation", "recipt"])
    assert not Template.objects.exists()


@pytest.mark.django_db
def test_the_company_speaks_in_its_own_name():
    add_examples(["invitation"], company=Company(name="Bär & Söhne", address="Kai 1, Wien", mail="hallo@baer.example"))

    content = TemplateContent.objects.get(locale="de")
    assert "im Team „<bdi>" not in content.html
    assert "bei Bär &amp; Söhne" in content.html
    assert "bei Bär & Söhne" in content.text
    assert "hallo@baer.example" in content.compiled_html
    assert '<bdi lang="en">Bär &amp; Söhne, Kai 1, Wien</bdi>' in content.compiled_html
    assert "Harbour" not in content.compiled_html + content.compiled_text + content.subject + content.preheader


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "{{ x }}"}, {"address": "a\nb"}, {"mail": "nobody"}])
def test_a_company_that_cannot_be_written_is_refused(wrong):
    with pytest.raises(CompanyInvalid, match=next(iter(wrong))):
        Company(**wrong)


@pytest.mark.django_db
def test_a_layout_that_somebody_changed_stays():
    layouts.store_layout(code="company", name="Ours", html="<i>{{ content }}</i>")
    add_examples(["invitation"])
    assert Layout.objects.count() == 1
    assert TemplateContent.objects.filter(compiled_html__startswith="<i><h1>").count() == 5


@pytest.mark.django_db
def test_the_command_lists_tries_and_adds(capsys):
    call_command("add_example_templates", list=True)
    assert "receipt              email        What a customer bought and paid." in capsys.readouterr().out
    call_command("add_example_templates", "receipt", dry_run=True)
    assert capsys.readouterr().out == "would add receipt\n"
    assert not Template.objects.exists()
    call_command("add_example_templates", "receipt", json=True)
    assert json.loads(capsys.readouterr().out) == {"added": ["receipt"], "skipped": []}
    call_command("add_example_templates", "receipt")
    assert capsys.readouterr().out == "left alone receipt: there is a template of this code\n"


@pytest.mark.parametrize(
    "wrong", [{"codes": ["recipt"]}, {"codes": [], "company": "{"}, {"codes": ["x"], "list": True}]
)
def test_a_wrong_argument_of_the_command_is_a_usage_error(db, wrong):
    codes = wrong.pop("codes")
    with pytest.raises(CommandError) as caught:
        call_command("add_example_templates", *codes, **wrong)
    assert caught.value.returncode == 2


def test_reading_is_cached_and_the_files_are_no_secret():
    assert examples.read_example("receipt") is examples.read_example("receipt")
