import threading
from contextlib import suppress

import pytest
from psycopg import OperationalError

from notifications_site.postgresql.silence import TRIAL, Silence, Silent


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def silence(clock):
    return Silence()


def in_vain(clock):
    def ask(seconds):
        clock[0] += seconds
        raise OperationalError("time is up")

    return ask


def refuse(seconds):
    raise OperationalError("connection refused")


def test_who_waits_in_vain_is_told_so(silence, clock):
    with pytest.raises(Silent, match=r"within 1\.0 s"):
        silence.heed(in_vain(clock), patience=1)

    assert clock[0] == 101


def test_after_that_the_next_one_waits_only_briefly(silence, clock):
    with pytest.raises(Silent):
        silence.heed(in_vain(clock), patience=1)

    assert silence.heed(lambda seconds: seconds, patience=1) == TRIAL.total_seconds()


def test_while_one_finds_out_the_others_are_refused(silence, clock):
    with pytest.raises(Silent):
        silence.heed(in_vain(clock), patience=1)
    is_asking, may_answer = threading.Event(), threading.Event()

    def slowly(seconds):
        is_asking.set()
        may_answer.wait()
        return "answer"

    answers = []
    first = threading.Thread(target=lambda: answers.append(silence.heed(slowly, patience=1)))
    first.start()
    is_asking.wait()
    with pytest.raises(Silent, match="another request is finding out"):
        silence.heed(lambda seconds: "never asked", patience=1)
    may_answer.set()
    first.join()

    assert answers == ["answer"]


@pytest.mark.parametrize("answer", [lambda seconds: "answer", refuse])
def test_any_answer_ends_the_silence_also_a_refusal(silence, clock, answer):
    with pytest.raises(Silent):
        silence.heed(in_vain(clock), patience=1)
    with suppress(OperationalError):
        silence.heed(answer, patience=1)

    assert silence.heed(lambda seconds: seconds, patience=1) == 1


def test_an_answer_that_came_too_late_ends_the_silence(silence, clock):
    with pytest.raises(Silent):
        silence.heed(in_vain(clock), patience=1)

    silence.end()

    assert silence.heed(lambda seconds: seconds, patience=1) == 1


def test_who_had_hardly_any_time_left_says_nothing_about_the_server(silence, clock):
    with pytest.raises(Silent):
        silence.heed(in_vain(clock), patience=0.05)

    assert silence.heed(lambda seconds: seconds, patience=1) == 1
