"""People and blocked addresses as files in the admin: looked at first, whole or not at all, and noted."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from tests.admin_scene import form_values, owner, page, signed_in, staff
from tests.factories import UserFactory
from users.admin import table_files
from users.models import AuditEntry, Suppression, User
from users.suppressions import suppress_address

pytestmark = pytest.mark.django_db
PEOPLE, BLOCKED = "/admin/users/user/files/", "/admin/users/suppression/files/"


@pytest.fixture
def client():
    return signed_in(owner())


def csv_of(*lines, name="people.csv"):
    return SimpleUploadedFile(name, "\n".join(lines).encode())


def confirmed(client, address, looked):
    """The second step, as the browser sends it."""
    said = {name: values[0] for name, values in form_values(looked.content.decode()).items()}
    return client.post(address, {"name": said["name"], "data": said["data"], "write": "yes"})


def test_people_are_looked_at_before_they_are_written(client):
    book = Workbook()
    for row in (["external_id", "email"], ["user-1", "ann@example.com"], ["user-2", "bo@example.com"]):
        book.active.append(row)
    book.save(kept := io.BytesIO())
    looked = client.post(PEOPLE, {"file": SimpleUploadedFile("people.xlsx", kept.getvalue())})
    assert "All rows are good" in looked.content.decode()
    assert not User.objects.filter(external_id="user-1").exists()
    assert confirmed(client, PEOPLE, looked).url == "/admin/users/user/"
    assert set(User.objects.exclude(external_id=None).values_list("external_id", flat=True)) == {"user-1", "user-2"}
    line = AuditEntry.objects.get(what="people.imported")
    assert (line.about_name, line.after, line.address) == ("file people.xlsx", {"new": 2, "changed": 0}, "127.0.0.1")


def test_one_bad_row_is_named_as_the_spreadsheet_counts_and_nothing_is_written(client):
    lines = ["external_id,email", "user-1,ann@example.com", "", "user-2,nonsense"]
    text = client.post(PEOPLE, {"file": csv_of(*lines)}).content.decode()
    assert "1 cell is wrong: nothing was imported" in text
    assert "<td>4</td>" in text
    assert 'name="write"' not in text
    forced = client.post(PEOPLE, {"file": csv_of(*lines), "write": "yes"}).content.decode()
    assert "nothing was imported" in forced
    assert not User.objects.filter(external_id="user-1").exists()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (csv_of("mail", "x"), "There is no column"),
        (csv_of("email", name="people.txt"), "ends with .csv or .xlsx"),
        (csv_of("no spreadsheet", name="people.xlsx"), "This is no spreadsheet"),
        (SimpleUploadedFile("people.csv", b"email\n\xe4"), "not UTF-8"),
        (SimpleUploadedFile("people.csv", b" " * (table_files.MOST_BYTES + 1)), "at most 1 MiB"),
        (None, "Choose a file first."),
    ],
)
def test_what_is_no_table_is_refused_in_words(client, file, says):
    answer = client.post(PEOPLE, {"file": file} if file else {}, follow=True)
    assert says in answer.content.decode()


def test_people_are_taken_away_with_the_columns_of_the_import(client):
    UserFactory(external_id="user-1", email="ann@example.com", name="=1+1", locale="de", timezone="UTC")
    text = client.post(PEOPLE, {"take": "csv"}).content.decode("utf-8-sig")
    assert text.splitlines()[0] == "external_id,email,name,locale,timezone"
    assert "user-1,ann@example.com,'=1+1,de,UTC" in text
    assert AuditEntry.objects.get(what="people.exported").after == {"rows": 2, "addresses": "whole"}


def test_what_is_taken_away_follows_search_and_filters_of_the_list(client):
    UserFactory(external_id="user-1", name="Ann")
    UserFactory(external_id="user-2", name="Bo", is_active=False)
    UserFactory(external_id="user-3", name="Bob")
    address = f"{PEOPLE}?q=bo&is_active__exact=1"
    assert address.replace("&", "&amp;") in page(client, "/admin/users/user/?q=bo&is_active__exact=1")
    assert "Only what the list shows" in page(client, address)
    lines = client.post(address, {"take": "csv"}).content.decode("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in lines[1:]] == ["user-3"]
    assert AuditEntry.objects.get(what="people.exported").after["rows"] == 1
    assert "Everybody" in page(client, PEOPLE)
    assert client.post(f"{PEOPLE}?is_active__exact=perhaps", {"take": "csv"}).url == PEOPLE


def test_who_may_not_see_addresses_gets_them_masked_and_brings_nobody_in():
    UserFactory(external_id="user-1", email="ann@example.com")
    exporter = signed_in(staff("users.export_person", "users.view_user"))
    book = load_workbook(io.BytesIO(exporter.post(PEOPLE, {"take": "xlsx"}).content))
    assert {row[1] for row in book.active.iter_rows(values_only=True)} >= {"a••@example.com"}
    assert AuditEntry.objects.get().after["addresses"] == "masked"
    assert "Bring a file in" not in page(exporter, PEOPLE)
    assert exporter.post(PEOPLE, {"file": csv_of("email", "x@example.com")}).status_code == 403


def test_a_list_that_is_too_long_for_one_file_says_so(client, monkeypatch):
    monkeypatch.setattr("users.table_exports.MOST_ROWS", 0)
    assert "too many for one file" in client.post(PEOPLE, {"take": "csv"}, follow=True).content.decode()
    assert not AuditEntry.objects.exists()


def test_addresses_are_blocked_by_a_file_and_a_lesser_block_becomes_a_greater(client):
    suppress_address(address="news@example.com", reason=Suppression.Reason.UNSUBSCRIBED)
    suppress_address(address="gone@example.com", reason=Suppression.Reason.HARD_BOUNCE, evidence="550")
    file = csv_of(
        "address,reason,evidence",
        "NEWS@example.com,complaint,abuse report",
        "gone@example.com,,",
        "new@example.com,,from the old service",
        name="blocked.csv",
    )
    looked = client.post(BLOCKED, {"file": file})
    assert Suppression.objects.count() == 2
    confirmed(client, BLOCKED, looked)
    assert Suppression.objects.get(evidence="abuse report").scope == Suppression.Scope.EVERYTHING
    assert Suppression.objects.get(evidence="550").reason == Suppression.Reason.HARD_BOUNCE
    new = Suppression.objects.get(evidence="from the old service")
    assert (new.reason, new.added_by) == (Suppression.Reason.MANUAL, str(User.objects.get(is_superuser=True)))
    assert AuditEntry.objects.get(what="suppressions.imported").after == {"new": 1, "changed": 1}


def test_bad_rows_of_blocked_addresses_are_all_told(client):
    file = csv_of("address,reason", "a@example.com,", "A@example.com,", "nonsense,because", ",manual")
    text = client.post(BLOCKED, {"file": file, "write": "yes"}).content.decode()
    assert "4 cells are wrong" in text
    assert "It stands in row 2 already." in text
    assert "Use one of hard_bounce" in text
    assert "An address is needed." in text
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("sees", [True, False])
def test_blocked_addresses_are_taken_away_whole_only_by_who_may_see_them(sees):
    UserFactory(email="ann@example.com")
    suppress_address(address="ann@example.com", reason=Suppression.Reason.HARD_BOUNCE, evidence="550 ann@example.com")
    client = signed_in(staff("users.view_suppression", *["users.view_pii"] * sees))
    text = client.post(BLOCKED, {"take": "csv"}).content.decode("utf-8-sig")
    assert ("ann@example.com" in text) is sees
    assert ("a••@example.com" in text) is not sees
    assert client.post(BLOCKED, {"file": csv_of("address", "x@example.com")}).status_code == 403
