from datetime import timedelta

from gateway.database_patience import at_most, seconds_left, waiting


def test_nobody_is_in_a_hurry_by_itself():
    assert seconds_left() is None


def test_the_time_is_shared_by_all_that_is_asked_within(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    with at_most(timedelta(seconds=2)):
        clock[0] += 60  # whatever else the request does
        with waiting():
            clock[0] += 1.5
        assert seconds_left() == 0.5
        with at_most(timedelta(seconds=1)), waiting():
            clock[0] += 0.25
        assert seconds_left() == 0.25
        with waiting():
            clock[0] += 5
        assert seconds_left() == 0
    assert seconds_left() is None


def test_inside_one_another_the_shorter_holds(monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 100.0)

    with at_most(timedelta(seconds=1)):
        with at_most(timedelta(seconds=5)):
            assert seconds_left() == 1
        with at_most(timedelta(milliseconds=250)):
            assert seconds_left() == 0.25
        assert seconds_left() == 1
