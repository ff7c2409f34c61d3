"""docs/benchmarks.md prints what the result files say, all of it, and nothing else. Nothing is measured here."""

import pytest

from benchmarks import report
from benchmarks.figure import Figure, Row

MACHINE = {
    "date": "2026-11-20T10:00:00+00:00",
    "commit": "abc1234",
    "cores": 2,
    "processor": "Some CPU",
    "memory_gb": 8,
    "ten_million_additions_s": 0.5,
    "load_average_at_start": 0.1,
    "used_by_others_before": 0.02,
    "python": "3.11.7",
    "postgresql": "15.1",
    "rabbitmq": "3.10.8",
    "redis": "7.0",
}
PAGE = "# How fast\n\nWords of people.\n\n<!-- table: f0_sample -->\nold\n<!-- end of table -->\n\nMore words.\n"


def sample(**options):
    rows = [
        Row(what="a rate", measured=500.4, unit="/s", at_least=1_000, floor=400),
        Row(what="a wait", measured=80, unit="ms", at_most=100),
        Row(what="a peer", measured=12.34, unit="/s"),
    ]
    return Figure(name="f0_sample", title="F0 Sample", size="quick", rows=rows, machine=MACHINE, **options)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.figure.RESULTS", tmp_path)
    return report.read(sample(notes=["How it was measured."]).save())


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_goals_and_floors_are_judged_each_in_its_own_sense(saved):
    header, _, rate, wait, peer = cells(report.table_of(saved))
    assert header == ["what", "measured", "goal", "ratio", "reached", "floor"]
    assert rate == ["a rate", "500/s", "≥ 1,000/s", "0.50", "**no**", "≥ 400/s: yes"]
    assert wait == ["a wait", "80.0 ms", "≤ 100 ms", "1.25", "yes", ""]
    assert peer == ["a peer", "12.3/s", "", "", "", ""]


def test_a_floor_of_something_that_should_be_small_is_missed_from_above():
    row = Row(what="a wait", measured=101, unit="ms", at_most=50, floor=100)
    assert (row.reaches(row.goal), row.reaches(row.floor)) == (False, False)


def test_the_page_gets_the_table_and_keeps_the_words_of_people(saved):
    page = report.rendered(PAGE, {"f0_sample": saved})
    assert page.startswith("# How fast\n\nWords of people.\n")
    assert page.endswith("More words.\n")
    assert "old" not in page
    assert "| a rate | 500/s" in page.replace("  ", " ").replace("  ", " ")
    assert "How it was measured." in page
    assert "commit abc1234" in page


def test_writing_the_page_twice_changes_nothing(saved):
    once = report.rendered(PAGE, {"f0_sample": saved})
    assert report.rendered(once, {"f0_sample": saved}) == once


def test_a_figure_without_a_place_gets_one(saved):
    assert "F0 Sample" in report.rendered("# How fast\n", {"f0_sample": saved})


def test_a_place_without_a_figure_says_so():
    assert "Not measured yet." in report.rendered(PAGE, {})


def test_a_busy_machine_is_named(saved):
    busy = saved | {"machine": MACHINE | {"used_by_others_before": 0.7}}
    assert "was busy" in report.section_of("f0_sample", busy)
    assert "was busy" not in report.section_of("f0_sample", saved)


def test_every_result_file_is_printed_in_the_docs_as_it_is():
    results = report.all_results()
    page = report.PAGE.read_text()
    assert results, "benchmarks/results is empty"
    for name in results:
        assert report.BEGIN.format(name=name) in page
    assert page == report.rendered(page, results), "run python -m benchmarks.report"
