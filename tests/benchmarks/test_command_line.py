"""What `make bench` accepts and refuses. Nothing is measured here."""

import importlib
import re
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import smtp_sinks

LOCK = Path(bench.__file__).parent / "peers" / "requirements.txt"


def test_every_figure_has_a_file_that_measures_it():
    for module in bench.FIGURES.values():
        assert callable(importlib.import_module(f"benchmarks.{module}").measure)


@pytest.mark.parametrize(("words", "names"), [([], list(bench.ALL)), (["f9", "mails", "f1"], ["f9", "mails", "f1"])])
def test_the_figures_that_are_named_are_measured_and_without_names_all(monkeypatch, words, names):
    asked = []
    monkeypatch.setattr(bench, "measure", lambda wanted, size: asked.append((wanted, size)) or 0)
    monkeypatch.setattr(bench.signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["make bench", *words, "--size", "full"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert (asked, ended.value.code) == ([(names, "full")], 0)


def test_an_unknown_figure_is_a_usage_error(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["make bench", "f99"])
    monkeypatch.setattr(bench.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == 2
    assert "f99" in capsys.readouterr().err


def test_without_smtp_sink_it_says_which_package_has_it(monkeypatch):
    monkeypatch.setattr(smtp_sinks.shutil, "which", lambda *names, **options: None)
    with pytest.raises(SystemExit, match="apt install postfix"):
        smtp_sinks.require_sink()


def test_the_peers_are_locked_with_hashes_and_without_an_address():
    lock = LOCK.read_text()
    pins = re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)
    assert {"celery", "django-post-office", "psycopg"} <= set(pins)
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock
