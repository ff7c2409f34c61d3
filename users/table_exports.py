"""Use case: people, or blocked addresses, as a table for a spreadsheet. Who may not see addresses gets them masked."""

from typing import Any, Literal

from django.db.models import QuerySet
from import_export.fields import Field
from import_export.formats.base_formats import CSV, XLSX
from import_export.resources import ModelResource

from users.audit import note
from users.masking import mask_email, mask_text
from users.models import Suppression, User
from users.people_files import COLUMNS

Form = Literal["csv", "xlsx"]
#: Rows of one file; it is made in memory.
MOST_ROWS = 50_000
#: A spreadsheet takes what begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t")


class TooManyRows(Exception):
    """More than `MOST_ROWS`."""


class Table(ModelResource):  # type: ignore[misc]  # the package ships no types
    """What both have in common."""

    def __init__(self, *, shows_addresses: bool) -> None:
        super().__init__()
        self.shows_addresses = shows_addresses

    def export_resource(self, instance: Any, selected_fields: Any = None, **options: Any) -> list[str]:
        """One row; nothing in it is a formula."""
        cells = super().export_resource(instance, selected_fields, **options)
        return [f"'{cell}" if str(cell).startswith(FORMULA) else cell for cell in cells]


class PeopleTable(Table):
    """The columns of the import, so that the file can come back."""

    class Meta:
        model = User
        fields = export_order = COLUMNS

    def dehydrate_email(self, person: User) -> str:
        """Masked, unless they may be seen."""
        if not person.email:
            return ""
        return person.email if self.shows_addresses else mask_email(person.email)


class SuppressionTable(Table):
    """Every block, also those that were lifted. An address we know no person of is only known masked."""

    address = Field(column_name="address")

    class Meta:
        model = Suppression
        fields = export_order = (
            *("address", "reason", "scope", "evidence", "since", "added_by"),
            *("lifted_at", "lifted_by", "lifted_why"),
        )

    def export(self, queryset: Any = None, **options: Any) -> Any:
        """With the addresses of those who are people here: one query for all."""
        rows = list(queryset)
        indexes = {each.address_index for each in rows} if self.shows_addresses else set()
        self._whole: dict[str, str] = {}
        for start in range(0, len(indexes), 500):
            people = User.objects.filter(email_index__in=sorted(indexes)[start : start + 500])
            self._whole |= {str(each.email_index): each.email or "" for each in people.only("email", "email_index")}
        return super().export(rows, **options)

    def dehydrate_address(self, suppression: Suppression) -> str:
        """Whole where that may be seen and is known."""
        return self._whole.get(suppression.address_index) or suppression.masked_address

    def dehydrate_evidence(self, suppression: Suppression) -> str:
        """The words of a mail server repeat the address."""
        return suppression.evidence if self.shows_addresses else mask_text(suppression.evidence)

    def dehydrate_since(self, suppression: Suppression) -> str:
        """ISO 8601, in UTC."""
        return suppression.since.isoformat(timespec="seconds")

    def dehydrate_lifted_at(self, suppression: Suppression) -> str:
        """ISO 8601, in UTC; empty while it is in force."""
        return suppression.lifted_at.isoformat(timespec="seconds") if suppression.lifted_at else ""


def export_table(
    table: type[Table], rows: QuerySet[Any], *, form: Form, who: User, what: str, network_address: str = ""
) -> bytes:
    """The file; a line of the audit log says who took how many rows. Raises `TooManyRows`."""
    shows_addresses = who.has_perm("users.view_pii")
    taken = table(shows_addresses=shows_addresses).export(rows.order_by("pk")[: MOST_ROWS + 1])
    if len(taken) > MOST_ROWS:
        raise TooManyRows
    addresses = "whole" if shows_addresses else "masked"
    note(
        who=who,
        what=f"{what}.exported",
        about=f"{form.upper()} file",
        after={"rows": len(taken), "addresses": addresses},
        address=network_address,
    )
    if form == "csv":
        # With the mark at the beginning by which spreadsheets know UTF-8.
        return str(CSV().export_data(taken)).encode("utf-8-sig")
    return bytes(XLSX().export_data(taken))
