"""Use case: block the addresses of a file, such as the list another service has kept. All rows or none.

A row has an address, a reason and what proves it. An address that is blocked already stays as it is; only a block of
everything takes the place of one of advertising alone.
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from users.audit import note
from users.contact_fields import AddressField
from users.encryption import blind_index
from users.masking import mask_email
from users.models import Suppression, User
from users.people_files import FileRow, UnreadableFile, opened_table
from users.people_import import Imported, RowError

COLUMNS = ("address", "reason", "evidence")
LONGEST_EVIDENCE = 500
#: Rows of one file: they are written together.
MOST_ROWS = 5000
#: Addresses asked for at once.
BATCH = 500
_ADDRESS = AddressField()


def import_suppressions(path: Path, *, who: User, dry_run: bool = False, network_address: str = "") -> Imported:
    """Look at every row; then, unless something is wrong or it is a dry run, write them all. Raises `UnreadableFile`.

    Who is blocked in `reason`'s absence is blocked by hand. With errors nothing was written.
    """
    found = Imported()
    with opened_table(path, columns=COLUMNS, one_of=COLUMNS[:1]) as rows:
        read = list(islice(rows, MOST_ROWS + 1))
    if len(read) > MOST_ROWS:
        raise UnreadableFile(f"The file has more than {MOST_ROWS:,} rows. Divide it.")
    wanted = _judged(read, found, who)
    with transaction.atomic():
        new, heavier = _apart(wanted, found)
        if not found.error_count and not dry_run:
            _write(new, heavier)
            note(
                who=who,
                what="suppressions.imported",
                about=f"file {path.name}",
                after={"new": found.new, "changed": found.changed},
                address=network_address,
            )
    return found


def _judged(rows: Sequence[FileRow], found: Imported, who: User) -> dict[str, Suppression]:
    """By the index of the address; what is wrong is counted."""
    wanted: dict[str, Suppression] = {}
    first_rows: dict[str, int] = {}
    for row in rows:
        errors = list(_errors(row))
        address = "" if errors else _ADDRESS.run_validation(row.values["address"])
        index = "" if errors else blind_index(address)
        if index in first_rows:
            errors.append(
                RowError(row=row.number, column="address", words=f"It stands in row {first_rows[index]} already.")
            )
        for error in errors:
            found.add(error)
        if not errors:
            first_rows[index] = row.number
            reason = Suppression.Reason(row.values.get("reason", Suppression.Reason.MANUAL).lower())
            is_marketing = reason == Suppression.Reason.UNSUBSCRIBED
            wanted[index] = Suppression(
                address_index=index,
                masked_address=mask_email(address),
                reason=reason,
                scope=Suppression.Scope.MARKETING if is_marketing else Suppression.Scope.EVERYTHING,
                evidence=row.values.get("evidence", ""),
                added_by=str(who)[:200],
            )
    return wanted


def _errors(row: FileRow) -> list[RowError]:
    found = []
    if "address" not in row.values:
        found.append(RowError(row=row.number, column="address", words="An address is needed."))
    else:
        try:
            _ADDRESS.run_validation(row.values["address"])
        except ValidationError as error:
            words = " ".join(str(each) for each in error.detail)
            found.append(RowError(row=row.number, column="address", words=words))
    if row.values.get("reason", Suppression.Reason.MANUAL).lower() not in Suppression.Reason.values:
        words = f"Use one of {', '.join(Suppression.Reason.values)}."
        found.append(RowError(row=row.number, column="reason", words=words))
    if len(row.values.get("evidence", "")) > LONGEST_EVIDENCE:
        words = f"At most {LONGEST_EVIDENCE} characters."
        found.append(RowError(row=row.number, column="evidence", words=words))
    return found


def _apart(wanted: dict[str, Suppression], found: Imported) -> tuple[list[Suppression], list[Suppression]]:
    """(those that are new, those there already that will block more), counted."""
    known: dict[str, Suppression] = {}
    for start in range(0, len(wanted), BATCH):
        indexes = list(wanted)[start : start + BATCH]
        known |= {each.address_index: each for each in Suppression.objects.in_force().filter(address_index__in=indexes)}
    new = [each for index, each in wanted.items() if index not in known]
    heavier = []
    for index, there in known.items():
        if there.scope == Suppression.Scope.MARKETING and wanted[index].scope == Suppression.Scope.EVERYTHING:
            there.scope, there.reason, there.evidence = (
                wanted[index].scope,
                wanted[index].reason,
                wanted[index].evidence,
            )
            there.since = timezone.now()
            heavier.append(there)
    found.new, found.changed = len(new), len(heavier)
    found.unchanged = len(wanted) - len(new) - len(heavier)
    return new, heavier


def _write(new: list[Suppression], heavier: list[Suppression]) -> None:
    Suppression.objects.bulk_create(new, batch_size=BATCH)
    Suppression.objects.bulk_update(heavier, ["scope", "reason", "evidence", "since"], batch_size=100)
    indexes = [each.address_index for each in (*new, *heavier)]
    for start in range(0, len(indexes), BATCH):
        for person in User.objects.filter(email_index__in=indexes[start : start + BATCH]):
            person.has_changed()
