"""A few tests that failed beside others get a second chance, and are named even when they use it."""

import pytest

from tests import every_database


@pytest.fixture
def runs(monkeypatch):
    """What pytest was called with; `codes` are its answers, `failed` what it remembers."""

    class Runs:
        codes = [0]
        failed = ["tests/a.py::test_1", "tests/a.py::test_2"]
        called = []

    def answer(environment, arguments):
        Runs.called.append((environment, arguments))
        return Runs.codes.pop(0)

    Runs.called.clear()
    for name in ("DATABASE_URL", "RABBITMQ_URL", "REDIS_URL", "TEST_RABBITMQ_URL", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.delenv(name, raising=False)  # `main` sets and removes them; afterwards they are as before
    monkeypatch.setattr(every_database, "pytest", answer)
    monkeypatch.setattr(every_database, "last_failed", lambda: Runs.failed)
    monkeypatch.setattr(every_database, "trouble_with", lambda url: None)
    return Runs


def test_failures_that_pass_alone_are_named(runs, capsys):
    runs.codes = [1, 0, 0]
    assert every_database.main([]) == 0
    assert runs.called[1] == ({}, ["-q", *runs.failed])
    assert "UNSTEADY" in (said := capsys.readouterr().out)
    assert "tests/a.py::test_1 (SQLite)" in said


def test_failures_that_stay_are_failures_on_either_database(runs):
    runs.codes = [1, 1, 0]
    assert every_database.main([]) == 1
    runs.codes = [0, 1, 1]
    assert every_database.main([]) == 1
    assert "DATABASE_URL" in runs.called[-1][0]


def test_many_failures_do_not_run_again(runs):
    runs.codes, runs.failed = [1, 0], ["tests/a.py::test"] * (every_database.MOST_AGAIN + 1)
    assert every_database.main([]) == 1
    assert len(runs.called) == 2


def test_other_trouble_than_failing_tests_is_no_matter_of_chance(runs):
    runs.codes = [4, 0]
    assert every_database.main([]) == 4


def test_chosen_tests_run_once(runs, capsys):
    runs.codes = [1, 0]
    assert every_database.main(["tests/a.py"]) == 1
    assert "UNSTEADY" not in capsys.readouterr().out


def test_without_postgresql_it_is_a_failure_where_ci_asks_for_it(runs, monkeypatch, capsys):
    monkeypatch.setattr(every_database, "trouble_with", lambda url: "connection refused")
    for ci, code in (("true", 1), ("", 0)):
        monkeypatch.setenv("CI", ci)
        runs.codes = [0]
        assert every_database.main([]) == code
    assert "DID NOT RUN" in capsys.readouterr().out
