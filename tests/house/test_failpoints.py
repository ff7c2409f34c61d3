"""Every failpoint of the code is known, tried, and stands for a row of the table of crash points; none is left out."""

import re

import pytest
from django.conf import settings

from gateway.failpoints import PLACES
from tests.chaos.logging_provider import PLACES as PLACES_OF_THE_PROVIDER
from tests.journeys.test_failpoints import CRASH_POINTS

APPS = ("users", "templates_app", "gateway", "channels_email", "channels_push", "consumers", "notifications_site")
TABLE = (settings.BASE_DIR / "docs" / "explanation" / "delivery.md").read_text(encoding="utf-8")


def crash_points_of_the_document() -> list[str]:
    """The first column of its table."""
    rows = TABLE.split("## Every crash point")[1].split("\n## ")[0].splitlines()
    return [row.split("|")[1].strip().strip("*") for row in rows if row.startswith("|")][2:]


def test_the_code_passes_every_place_once_and_no_other():
    sources = [path.read_text(encoding="utf-8") for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")]
    passed = [place for source in sources for place in re.findall(r'(?<!def )\bfailpoint\("([\w.]+)"\)', source)]
    assert sorted(passed) == sorted(PLACES)


def test_every_place_is_tried():
    tried = {place for point in CRASH_POINTS for place in point.places}
    assert tried == {*PLACES, *PLACES_OF_THE_PROVIDER}


@pytest.mark.parametrize("row", CRASH_POINTS, ids=lambda point: point.row)
def test_the_document_names_what_is_tried_in_its_row(row):
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", line_of(row.row))) == set(row.places)


@pytest.mark.parametrize("row", sorted(set(crash_points_of_the_document()) - {point.row for point in CRASH_POINTS}))
def test_every_other_row_of_the_document_names_the_test_that_proves_it(row):
    named = re.findall(r"`(tests/[\w/]+\.py)`", line_of(row))
    assert named
    assert all((settings.BASE_DIR / each).exists() for each in named)


def line_of(row: str) -> str:
    (line,) = [line for line in TABLE.splitlines() if line.startswith((f"| {row} |", f"| **{row}** |"))]
    return line


@pytest.mark.parametrize("place", PLACES)
def test_a_place_says_what_lies_on_its_two_sides(place):
    assert PLACES[place].count(" … ") == 1
