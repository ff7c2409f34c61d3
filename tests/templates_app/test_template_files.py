"""Templates as files: out, in, and what differs."""

import json

import pytest
import yaml
from django.core.management import CommandError, call_command

from templates_app import drafting, publishing, template_life
from templates_app.models import Template, TemplateVersion
from templates_app.template_files import FileInvalid, exportable, exported_text, import_template, read_template

pytestmark = pytest.mark.django_db
NAME = {"name": "name", "type": "string", "required": True, "example": "Ann"}
FILE = """\
code: hello
name: Hello
category: updates
default_locale: en
variables:
  - name: name
    type: string
    required: true
    example: Ann
contents:
  en:
    email:
      subject: Hi {{ name }}
      html: |
        <p>
          Good day, {{ name }}
        </p>
      text: Good day, {{ name }}
  'no':
    email:
      subject: Hei {{ name }}
      html: <p>God dag, {{ name }}</p>
      text: God dag, {{ name }}
samples:
  Long:
    name: Wilhelmina Theodora
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "hello.yaml").write_text(FILE)
    return tmp_path


def take(text=FILE, **options):
    return import_template(read_template(text), **options)


def written(code="hello"):
    template = Template.objects.select_related("live_version").get(code=code)
    return exported_text(template, exportable(template))


def test_a_file_makes_a_template_and_comes_out_as_it_went_in():
    done = take(publishes=True, note="First")

    assert (done.what, done.version, done.is_published, done.findings) == ("new", 1, True, ())
    assert written() == FILE


def test_the_same_file_again_changes_nothing():
    take(publishes=True)
    done = take(publishes=True)

    assert (done.what, done.version, done.difference) == ("unchanged", None, "")
    assert TemplateVersion.objects.count() == 1


def test_new_words_become_a_draft_and_the_difference_reads_well():
    take(publishes=True)
    done = take(FILE.replace("Good day, {{ name }}\n        </p>", "Hello, {{ name }}\n        </p>"))

    assert (done.what, done.version, done.is_published) == ("changed", 2, False)
    assert "-          Good day, {{ name }}\n+          Hello, {{ name }}\n" in done.difference
    assert Template.objects.get().live_version.number == 1
    assert [each.code for each in done.findings] == ["locale_outdated"]


def test_a_dry_run_leaves_nothing_behind():
    assert take(dry_run=True, publishes=True).is_published
    assert not Template.objects.exists()


def test_somebodys_draft_is_not_written_over():
    take(publishes=True)
    draft = drafting.new_draft(Template.objects.get())
    assert take().what == "unchanged"  # a mere copy is no work
    drafting.save_content(draft, locale="en", channel="email", words={"subject": "Mine", "html": "<p>x</p>"})
    other = FILE.replace("Good day", "Hello")

    with pytest.raises(drafting.DraftExists):
        take(other)
    assert draft.contents.get(locale="en").subject == "Mine"
    assert take(other, replaces_draft=True).version == 2
    assert take(other).version == 2  # the draft says so already


def test_a_breaking_file_is_not_published_by_accident():
    take(publishes=True)
    stricter = FILE.replace("contents:", "  - name: link\n    type: url\n    required: true\ncontents:", 1)
    with pytest.raises(publishing.PublishBlocked):
        take(stricter, publishes=True)
    assert Template.objects.get().live_version.number == 1
    assert take(stricter, publishes=True, acknowledge_breaking=True).is_published


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("code: [", "line 1"),
        ("- a", "no template"),
        ("code: x\nname: &a N\ndescription: *a", "line 3: aliases"),
        ("code: x\ncode: y", "line 1: written twice: code"),
        ("code: x\ncolour: red", "colour: There is no such field."),
        ("code: x\ncontents:\n  en:\n    email:\n      subject: 2026-11-22", ""),
        ("code: x\nsamples: [1]", "samples:"),
        ("name: x", "code:"),
        ("code: " + "x" * 1_100_000, "1024 KiB"),
        ("[" * 400, ""),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text, problem):
    if not problem and "subject" in text:
        assert read_template(text).contents["en", "email"]["subject"] == "2026-11-22"  # no date
        return
    with pytest.raises(FileInvalid) as caught:
        read_template(text)
    assert problem in str(caught.value)


# --- the commands -----------------------------------------------------------------------------------------------------
def test_files_go_from_one_machine_to_another(folder, capsys):
    call_command("import_templates", folder, "--dry-run")
    assert "+code: hello" in capsys.readouterr().out
    call_command("import_templates", folder, "--publish", "--note", "New")
    assert "hello: new, version 1 (published)" in capsys.readouterr().out
    (folder / "hello.yaml").unlink()
    call_command("export_templates", folder)
    assert (folder / "hello.yaml").read_text() == FILE
    call_command("import_templates", folder, "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["taken"][0]["what"] == "unchanged"


def test_one_bad_file_does_not_stop_the_others(folder, capsys):
    (folder / "bad.yaml").write_text("code: x\ncolour: red")
    with pytest.raises(CommandError) as caught:
        call_command("import_templates", folder)
    assert caught.value.returncode == 3
    assert "colour: There is no such field." in capsys.readouterr().out
    assert Template.objects.get().code == "hello"


def test_a_folder_without_files_is_a_mistake(tmp_path):
    with pytest.raises(CommandError) as caught:
        call_command("import_templates", tmp_path)
    assert caught.value.returncode == 2


def test_templates_are_checked(capsys):
    take(FILE.replace("Hi {{ name }}", "Hi {{ nmae }}"))
    with pytest.raises(CommandError) as caught:
        call_command("lint_templates")
    assert caught.value.returncode == 1
    assert "error: contents/en/email/subject, line 1: {{ nmae }} is not declared. [variable_unknown]" in (
        capsys.readouterr().out
    )
    take(publishes=True, replaces_draft=True)
    call_command("lint_templates", "hello", "--json")
    [version] = json.loads(capsys.readouterr().out)["versions"]
    assert [each["code"] for each in version["findings"]] == ["locale_outdated"]  # its source was mended, it was not
    with pytest.raises(CommandError):
        call_command("lint_templates", "nothing")


def test_a_template_is_previewed(tmp_path, capsys):
    take(publishes=True)
    data, out = tmp_path / "data.json", tmp_path / "out.html"
    data.write_text(json.dumps({"name": "Bo & Co"}))
    call_command("preview_template", "hello", "--locale", "nb-NO", "--data", data, "--out", out)
    assert "subject: Hi Bo & Co" in capsys.readouterr().out
    assert "Bo &amp; Co" in out.read_text()
    call_command("preview_template", "hello", "--locale", "no", "--json")
    assert json.loads(capsys.readouterr().out)["rendered"]["subject"] == "Hei Ann"
    data.write_text("{}")
    for arguments in (["hello", "--data", data], ["nothing"], ["hello", "--number", "7"], ["hello", "--locale", "!"]):
        with pytest.raises(CommandError):
            call_command("preview_template", *arguments)


def test_publishing_and_going_back(capsys):
    take()
    call_command("publish_template", "hello", "--dry-run")
    assert Template.objects.get().live_version is None
    call_command("publish_template", "hello", "--note", "x")
    with pytest.raises(CommandError):
        call_command("publish_template", "hello")
    call_command("revert_template", "hello", "1", "--note", "again", "--yes")
    assert "hello v2 is live, a copy of v1." in capsys.readouterr().out


def test_a_duplicate_is_a_draft_of_the_same_words_with_its_samples():
    take(publishes=True)
    copy = template_life.duplicate_template(Template.objects.get(), code="hello_again")

    said = yaml.safe_load(written("hello_again"))
    assert said["contents"].keys() == {"en", "no"}
    assert said["samples"] == {"Long": {"name": "Wilhelmina Theodora"}}
    assert copy.live_version is None
