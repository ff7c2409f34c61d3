"""Use case: make the people of a file known, or change them. All rows are looked at before the first is written.

Who is there already is known by the client's id, else by the address. An empty cell leaves a value as it is. Rows are
written in batches, each with its own commit; a file may be imported twice without harm.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field

from users.audit import note
from users.contact_fields import AddressField, ExternalIdField, LocaleField, TimezoneField
from users.encryption import blind_index
from users.models import User
from users.people_files import FileRow, opened_table
from users.strict_serializers import PlainText

#: Rows under one commit.
BATCH = 500
#: Faulty rows that are told one by one.
MOST_ERRORS = 1000
_FIELDS: dict[str, "Field[str, str, str, str]"] = {
    "external_id": ExternalIdField(),
    "email": AddressField(),
    "name": PlainText(max_length=200),
    "locale": LocaleField(),
    "timezone": TimezoneField(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """What is wrong with a row."""

    #: As the spreadsheet counts.
    row: int
    column: str
    words: str


@dataclass(slots=True)
class Imported:
    """What came of a file, or would."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    #: At most `MOST_ERRORS` of them.
    errors: list[RowError] = field(default_factory=list)
    error_count: int = 0

    def add(self, error: RowError) -> None:
        """One more."""
        self.error_count += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(error)


def import_recipients(
    path: Path,
    *,
    who: User | str,
    dry_run: bool = False,
    network_address: str = "",
    on_batch: Callable[[int], None] = lambda count: None,
) -> Imported:
    """Look at every row; then, unless something is wrong or it is a dry run, write them all.

    With errors nothing was written. `on_batch` is told how many rows were looked at, or written; `network_address` is
    where the request came from. Raises `UnreadableFile`.
    """
    found, seen = Imported(), _Seen()
    with opened_table(path) as rows:
        for batch in _batches(rows):
            _judge(batch, found, seen)
            on_batch(len(batch))
    if found.error_count or dry_run:
        return found
    done = Imported()
    with opened_table(path) as rows:
        for batch in _batches(rows):
            with transaction.atomic():
                for person in _judge(batch, done, None):
                    person.has_changed()
            on_batch(len(batch))
    note(
        who=who,
        what="people.imported",
        about=f"file {path.name}",
        after={"new": done.new, "changed": done.changed},
        address=network_address,
    )
    return done


class _Seen:
    """What stood in earlier rows of the file, as fingerprints: a long file takes little memory."""

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}

    def twice(self, row: FileRow) -> Iterator[RowError]:
        """Values that must be unique and stood in an earlier row."""
        for column in ("external_id", "email"):
            if value := row.values.get(column):
                key = hash((column, value.lower() if column == "email" else value))
                first = self._rows.setdefault(key, row.number)
                if first != row.number:
                    yield RowError(row=row.number, column=column, words=f"It stands in row {first} already.")


def _batches(rows: Iterator[FileRow]) -> Iterator[list[FileRow]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _judge(batch: Sequence[FileRow], found: Imported, seen: _Seen | None) -> list[User]:
    """Counts what becomes of the rows. Without `seen` they have been judged before, and are written; returns whom."""
    good = [checked for row in batch if (checked := _checked(row, found)) is not None]
    by_id, by_address = _known(good)
    new: list[User] = []
    changed: list[User] = []
    for row in good:
        errors = [*(seen.twice(row) if seen else ()), *_taken(row, by_id, by_address)]
        for error in errors:
            found.add(error)
        if errors:
            continue
        person = _person(row, by_id, by_address)
        if person is None:
            new.append(User(**row.values, password=make_password(None)))
        elif _change(person, row):
            changed.append(person)
        else:
            found.unchanged += 1
    found.new += len(new)
    found.changed += len(changed)
    if seen is None:
        User.objects.bulk_create(new)
        columns = ["external_id", "email", "email_index", "address_changed_at", "name", "locale", "timezone"]
        User._base_manager.bulk_update(changed, [*columns, "updated_at"], batch_size=100)
    return [*new, *changed]


def _checked(row: FileRow, found: Imported) -> FileRow | None:
    """The row with its values as we store them; None when one of them is wrong."""
    values = {}
    is_good = True
    for column, text in row.values.items():
        value, words = _read(column, text)
        if words:
            found.add(RowError(row=row.number, column=column, words=words))
            is_good = False
        values[column] = value
    if is_good and not ("external_id" in values or "email" in values):
        found.add(RowError(row=row.number, column="external_id", words="One of external_id and email is needed."))
        is_good = False
    return FileRow(row.number, values) if is_good else None


@lru_cache(maxsize=2048)
def _read(column: str, text: str) -> tuple[str, str]:
    """(value, what is wrong with it)."""
    try:
        return _FIELDS[column].run_validation(text), ""
    except ValidationError as error:
        return "", " ".join(str(each) for each in error.detail)


def _known(rows: Iterable[FileRow]) -> tuple[dict[str, User], dict[str, User]]:
    """Those who are there already, by the client's id and by the index of the address. Two queries."""
    ids = [row.values["external_id"] for row in rows if "external_id" in row.values]
    indexes = [index for row in rows if (index := _index(row))]
    by_id = {str(each.external_id): each for each in User.objects.filter(external_id__in=ids)}
    by_address = {str(each.email_index): each for each in User.objects.filter(email_index__in=indexes)}
    return by_id, by_address


def _index(row: FileRow) -> str | None:
    return blind_index(row.values["email"]) if "email" in row.values else None


def _person(row: FileRow, by_id: dict[str, User], by_address: dict[str, User]) -> User | None:
    if "external_id" in row.values:
        return by_id.get(row.values["external_id"])
    return by_address.get(_index(row) or "")


def _taken(row: FileRow, by_id: dict[str, User], by_address: dict[str, User]) -> Iterator[RowError]:
    holder, person = by_address.get(_index(row) or ""), _person(row, by_id, by_address)
    if holder is not None and (person is None or holder.pk != person.pk):
        words = "This address belongs to another person."
        yield RowError(row=row.number, column="email", words=words)


def _change(person: User, row: FileRow) -> bool:
    """Whether anything differs; the index of the address is kept in step."""
    differs = {name: value for name, value in row.values.items() if getattr(person, name) != value}
    for name, value in differs.items():
        setattr(person, name, value)
    person.updated_at = timezone.now()
    if "email" in differs and person.email_index != _index(row):
        person.email_index, person.address_changed_at = _index(row), person.updated_at
    return bool(differs)
