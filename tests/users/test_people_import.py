"""A file of people is imported whole or not at all, and says which row of the spreadsheet is wrong."""

import io
import json
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from tests.factories import UserFactory
from users import people_import
from users.models import AuditEntry, User
from users.people_files import UnreadableFile, opened_table
from users.people_import import import_recipients

pytestmark = pytest.mark.django_db


@pytest.fixture
def csv_file(tmp_path):
    def write(*lines, encoding="utf-8"):
        path = tmp_path / "people.csv"
        path.write_text("\r\n".join(lines), encoding=encoding)
        return path

    return write


def numbers(found):
    return (found.new, found.changed, found.unchanged, found.error_count)


def test_people_are_made_changed_and_left_alone(csv_file, monkeypatch):
    monkeypatch.setattr(people_import, "BATCH", 2)
    UserFactory(external_id="user-1", name="Ann", email="ann@example.com")
    UserFactory(external_id=None, name="Old", email="bo@example.com")
    same = UserFactory(external_id="user-3", name="Cy", email="cy@example.com", locale="de")
    path = csv_file(
        "external_id,email,name,locale,timezone",
        "user-1,anna@EXAMPLE.com,,de,",
        ",BO@example.com,Bo,,",
        "user-3,,Cy,,",
        "",
        "user-4,d@example.com,Dee,pt-br,Europe/Vienna",
    )

    found = import_recipients(path, who="Sam")

    assert numbers(found) == (1, 2, 1, 0)
    ann = User.objects.with_email("anna@example.com").get()
    assert (ann.external_id, ann.name, ann.locale) == ("user-1", "Ann", "de")
    assert not User.objects.with_email("ann@example.com").exists()
    bo = User.objects.with_email("bo@example.com").get()
    assert bo.name == "Bo"
    assert [each.address_changed_at is not None for each in (ann, bo)] == [True, False]
    dee = User.objects.get(external_id="user-4")
    assert (dee.email, dee.locale, dee.timezone) == ("d@example.com", "pt-BR", "Europe/Vienna")
    assert not dee.has_usable_password()
    assert User.objects.get(pk=same.pk).name == "Cy"
    assert AuditEntry.objects.get().after == {"new": 1, "changed": 2}
    assert numbers(import_recipients(path, who="Sam")) == (0, 0, 4, 0)


def test_one_bad_row_and_nothing_is_imported(csv_file, capsys):
    UserFactory(external_id="other", email="taken@example.com")
    path = csv_file(
        "external_id;email;timezone",
        "user-1;ann@example.com;UTC",
        "user 2;nonsense;Mars/Olympus",
        "user-3;ANN@example.com;",
        "user-4;taken@example.com;",
        ";;UTC",
    )

    with pytest.raises(CommandError, match="Nothing was imported: 6 errors"):
        call_command("import_recipients", path, "--json")

    told = json.loads(capsys.readouterr().out)
    assert [(each["row"], each["column"]) for each in told["errors"]] == [
        (3, "external_id"),
        (3, "email"),
        (3, "timezone"),
        (6, "external_id"),
        (4, "email"),
        (5, "email"),
    ]
    assert "stands in row 2 already" in str(told["errors"])
    assert User.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_a_dry_run_changes_nothing(csv_file, capsys):
    call_command("import_recipients", csv_file("email", "ann@example.com"), "--dry-run")

    assert "New: 1." in capsys.readouterr().out
    assert not User.objects.exists()


def test_a_spreadsheet_is_read_as_well(tmp_path):
    book = Workbook()
    for row in (["External_ID", "name"], [4711, "Ann"], [None, None], ["user-2", None]):
        book.active.append(row)
    book.save(tmp_path / "people.xlsx")

    found = import_recipients(tmp_path / "people.xlsx", who="Sam")

    assert numbers(found) == (2, 0, 0, 0)
    assert User.objects.get(external_id="4711").name == "Ann"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["mail", "x"], "There is no column 'mail'"),
        (["name", "x"], "Neither external_id nor email"),
        (["email,email", "x"], "stands twice"),
        ([], "Neither external_id nor email"),
    ],
)
def test_a_file_that_is_no_table_of_people_is_refused(csv_file, lines, says):
    with pytest.raises(UnreadableFile, match=says):
        import_recipients(csv_file(*lines), who="Sam")


def test_what_is_no_file_of_text_is_refused(csv_file, tmp_path):
    (tmp_path / "people.xlsx").write_bytes(b"no spreadsheet")
    for path, says in (
        (csv_file("email", "änn@example.com", encoding="latin-1"), "not UTF-8"),
        (tmp_path / "people.xlsx", "cannot be read"),
        (tmp_path / "nowhere.csv", "cannot be read"),
    ):
        with pytest.raises(CommandError, match=says):
            call_command("import_recipients", path)


def damaged(whole: bytes):
    """The same file as no disk should give it back: cut short, its packed bytes changed, a part of it no XML."""
    yield whole[: len(whole) // 2]
    for place in range(40, len(whole) - 60, 97):
        yield whole[:place] + bytes(each ^ 0x55 for each in whole[place : place + 8]) + whole[place + 8 :]
    with ZipFile(io.BytesIO(whole)) as source:
        for name in source.namelist():
            changed = io.BytesIO()
            with ZipFile(changed, "w") as copy:
                for each in source.namelist():
                    copy.writestr(each, b"<broken" if each == name else source.read(each))
            yield changed.getvalue()


def test_a_damaged_spreadsheet_is_refused_in_words_or_read(tmp_path):
    book = Workbook()
    book.active.append(["email", "name"])
    book.active.append(["ann@example.com", "Ann"])
    file = tmp_path / "people.xlsx"
    book.save(file)
    refused = 0
    for content in damaged(file.read_bytes()):
        file.write_bytes(content)
        try:
            with opened_table(file) as rows:
                list(rows)
        except UnreadableFile:
            refused += 1
    assert refused > 10


def test_a_mark_at_the_beginning_of_the_file_is_no_part_of_a_name(csv_file):
    with opened_table(csv_file("email", "ann@example.com", encoding="utf-8-sig")) as rows:
        assert [row.values for row in rows] == [{"email": "ann@example.com"}]
