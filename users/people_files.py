"""Tables in files, row by row: CSV and XLSX, however long they are, in little memory."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from users.zip_damage import ZIP_DAMAGE

#: The columns of people that may stand in the first row; one of `ONE_OF` must.
COLUMNS = ("external_id", "email", "name", "locale", "timezone")
ONE_OF = ("external_id", "email")
#: Characters of a cell. No column of ours takes as many.
LONGEST_CELL = 10_000


class UnreadableFile(Exception):
    """The file cannot be read as the table it should be; the text says why, and what is needed."""


class FileRow(NamedTuple):
    """One row as the file has it."""

    #: As a spreadsheet counts: the row of names is number 1.
    number: int
    #: Column → text, without empty cells.
    values: dict[str, str]


@contextmanager
def opened_table(
    path: Path, *, columns: Sequence[str] = COLUMNS, one_of: Sequence[str] = ONE_OF
) -> Iterator[Iterator[FileRow]]:
    """The rows below the names; empty ones are passed over. Raises `UnreadableFile`, also while they are read."""
    with ExitStack() as stack:
        yield _rows(_told(_lines(path, stack), path), columns, one_of)


def _lines(path: Path, stack: ExitStack) -> Iterator[list[str]]:
    if path.suffix.lower() == ".xlsx":
        book = load_workbook(path, read_only=True, data_only=True)
        stack.callback(book.close)
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_text(cell) for cell in row]
        return
    file = stack.enter_context(path.open(encoding="utf-8-sig", newline=""))
    first = file.readline()
    file.seek(0)
    delimiter = ";" if first.count(";") > first.count(",") else ","
    yield from csv.reader(file, delimiter=delimiter, strict=True)


def _told(lines: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    """The same; what may go wrong with a file is told in words."""
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise UnreadableFile("The file is not UTF-8. Save it as “CSV UTF-8”, or as XLSX.") from error
    except (*ZIP_DAMAGE, InvalidFileException, LookupError, ParseError, TypeError, csv.Error) as error:
        raise UnreadableFile(f"{path.name} cannot be read as CSV or XLSX: {error}") from error


def _rows(lines: Iterator[list[str]], columns: Sequence[str], one_of: Sequence[str]) -> Iterator[FileRow]:
    names = [name.strip().lower() for name in next(lines, [])]
    _check(names, columns, one_of)
    for number, cells in enumerate(lines, start=2):
        values = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
        if values:
            yield FileRow(number, values)


def _check(names: list[str], columns: Sequence[str], one_of: Sequence[str]) -> None:
    known = f"The first row names the columns: {', '.join(columns)}."
    if unknown := [name for name in names if name and name not in columns]:
        raise UnreadableFile(f"There is no column {unknown[0][:50]!r}. {known}")
    if not set(one_of) & set(names):
        missing = f"Neither {' nor '.join(one_of)} is there." if len(one_of) > 1 else f"{one_of[0]} is not there."
        raise UnreadableFile(f"{missing} {known}")
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise UnreadableFile(f"The column {twice!r} stands twice. {known}")


def _text(cell: object) -> str:
    """A cell of a spreadsheet; a whole number is shown as one."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)[:LONGEST_CELL]
