"""Processor time by kind of process."""

from collections import Counter

from benchmarks import processor_time
from benchmarks.processor_time import microseconds_each, seconds_by_kind


def test_what_a_process_has_worked_is_counted_with_its_kind(monkeypatch):
    monkeypatch.setattr(processor_time, "KINDS", {"python": "ours", "pytest": "never, the first that fits counts"})
    sum(range(3_000_000))
    assert seconds_by_kind()["ours"] > 0
    assert set(seconds_by_kind()) == {"ours"}


def test_it_is_told_for_each_notification_the_most_first():
    before, after = Counter(relay=1.0, consumers=1.0), Counter(relay=1.5, consumers=3.0)
    assert list(microseconds_each(before, after, count=1000).items()) == [("consumers", 2000.0), ("relay", 500.0)]
