"""Words go to translators and come back."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from templates_app import drafting, template_life
from templates_app.models import Template
from templates_app.translations import (
    TranslationsInvalid,
    export_translations,
    import_translations,
    read_translations,
)

pytestmark = pytest.mark.django_db
HTML = '<p>\n  "Hi" \\ {{ name }}, ünser\n</p>\n'
ENGLISH = {"subject": "=Hi {{ name }}", "html": HTML, "text": "Hi"}


@pytest.fixture
def template():
    return template_life.create_with_words(
        code="hello",
        variables=[{"name": "name"}],
        contents={
            ("en", "email"): ENGLISH,
            ("en", "push"): {"title": "Hi", "body": "You", "link": "https://e.com"},
            ("de", "push"): {"title": "Hallo", "body": "Du", "link": "https://e.com/de"},
        },
        publishes=True,
    )


def fresh(template):
    return Template.objects.select_related("live_version").get(pk=template.pk)


def translated(text, words):
    """The file with a translator's words in it."""
    file = read_translations(text)
    entries = [
        type(each)(field=each.field, source=each.source, translation=words.get(each.field, each.translation))
        for each in file.entries
    ]
    return type(file)(code=file.code, locale=file.locale, entries=tuple(entries))


@pytest.mark.parametrize("form", ["po", "csv"])
def test_a_file_comes_back_as_it_went_out(template, form):
    given = read_translations(export_translations(fresh(template), locale="de", form=form))

    assert (given.code, given.locale) == ("hello", "de")
    assert {each.field: (each.source, each.translation) for each in given.entries} == {
        "email/subject": ("=Hi {{ name }}", ""),
        "email/html": (HTML, ""),
        "email/text": ("Hi", ""),
        "push/title": ("Hi", "Hallo"),
        "push/body": ("You", "Du"),
    }


def test_a_spreadsheet_takes_nothing_for_a_formula(template):
    text = export_translations(fresh(template), locale="de", form="csv")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert "'=Hi {{ name }}" in rows[1]


def test_translations_become_a_draft_and_the_rest_stays(template):
    text = export_translations(fresh(template), locale="de", form="po")
    given = translated(
        text, {"email/subject": "Hallo {{ name }}", "email/html": "<p>Hallo</p>", "push/title": "Servus"}
    )

    foretold = import_translations(given, dry_run=True)
    assert template.versions.count() == 1
    done = import_translations(given, by="translator")

    assert foretold.changed == done.changed == ("email/subject", "email/html", "push/title")
    assert (done.unchanged, done.stale, done.unknown, done.version) == (("push/body",), (), (), 2)
    draft = template.versions.get(number=2)
    push = draft.contents.get(locale="de", channel="push")
    assert (push.title, push.body, push.link) == ("Servus", "Du", "https://e.com/de")
    assert draft.contents.get(locale="de", channel="email").subject == "Hallo {{ name }}"


def test_words_for_an_older_source_are_left_out(template):
    text = export_translations(fresh(template), locale="de", form="po")
    draft = drafting.new_draft(fresh(template))
    drafting.save_content(draft, locale="en", channel="push", words={"title": "Hello", "body": "You"})

    done = import_translations(translated(text, {"push/title": "Servus", "push/body": "Ihr"}))
    assert (done.changed, done.stale) == (("push/body",), ("push/title",))


def test_an_outdated_translation_is_marked_until_somebody_confirms_it(template):
    draft = drafting.new_draft(fresh(template))
    drafting.save_content(draft, locale="en", channel="push", words={"title": "Hello", "body": "You"})
    text = export_translations(fresh(template), locale="de", form="po")
    assert "#, fuzzy" in text
    assert import_translations(read_translations(text)).changed == ()
    assert "#, fuzzy" in export_translations(fresh(template), locale="de", form="po")

    import_translations(read_translations(text.replace("#, fuzzy\n", "")))
    assert "#, fuzzy" not in export_translations(fresh(template), locale="de", form="po")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        'msgid ""\nmsgstr ""\n"X-Template: hello\\n"\n',
        "template,locale\nhello,de\n",
        "template,locale,field,source,translation\nhello,de,a,b,c\nother,de,a,b,c\n",
        "template,locale,field,source,translation\nhello,!,a,b,c\n",
        "template,locale,field,source,translation\n",
    ],
)
def test_what_is_no_file_of_translations(text):
    with pytest.raises(TranslationsInvalid):
        read_translations(text)


def test_the_source_language_and_strangers_are_refused(template):
    text = export_translations(fresh(template), locale="de", form="csv")
    for wrong in (text.replace("hello,de", "other,de"), text.replace("hello,de", "hello,en")):
        with pytest.raises(TranslationsInvalid):
            import_translations(read_translations(wrong))


def test_the_commands(template, tmp_path, capsys):
    path = tmp_path / "hello.de.csv"
    call_command("export_translations", "hello", "--locale", "de", "--format", "csv", "--out", path)
    path.write_text(path.read_text(encoding="utf-8").replace("You,Du", "You,Ihr"), encoding="utf-8", newline="")
    call_command("import_translations", path, "--dry-run")
    assert "hello de push/body: written" in capsys.readouterr().out
    call_command("import_translations", path, "--json")
    assert json.loads(capsys.readouterr().out)["version"] == 2
    path.write_text(path.read_text(encoding="utf-8").replace("You,", "Old,"), encoding="utf-8", newline="")
    with pytest.raises(CommandError) as caught:
        call_command("import_translations", path)
    assert caught.value.returncode == 3
    for arguments in (["export_translations", "no", "--locale", "de"], ["import_translations", tmp_path / "no.po"]):
        with pytest.raises(CommandError):
            call_command(*arguments)
