"""Log lines: readable for people, parsable for machines, harmless in any case."""

import io
import json
import logging
import sys
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from django.conf import settings

from notifications_site import structured_logging
from notifications_site.structured_logging import configure_logging, is_secret, process_role

log = structlog.stdlib.get_logger("tests.ours")
library = logging.getLogger("tests.library")


@pytest.fixture(autouse=True)
def configured_as_before():
    structlog.contextvars.clear_contextvars()
    yield
    structlog.contextvars.clear_contextvars()
    configure_logging(level=settings.LOG_LEVEL, log_format=settings.LOG_FORMAT)


@pytest.fixture
def as_text(capsys):
    configure_logging(level="INFO", log_format="text")
    return lambda: capsys.readouterr().err


@pytest.fixture
def as_json(capsys):
    configure_logging(level="INFO", log_format="json")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_for_people_has_time_level_role_sentence_and_pairs(as_text):
    log.info("Accepted a notification.", action="submit", template="two words")

    moment, level, role, rest = as_text().rstrip("\n").split(maxsplit=3)

    assert datetime.fromisoformat(moment).utcoffset() == timedelta(0)
    assert (level, role) == ("INFO", "web")
    assert rest == 'Accepted a notification.  action=submit template="two words"'


def test_a_line_for_machines_begins_with_the_well_known_fields(as_json):
    structlog.contextvars.bind_contextvars(request_id="r-1", correlation_id="c-1", trace_id="t-1")
    log.info("Accepted.", status=202, notification_id="n-1", action="submit")

    (line,) = as_json()

    known = ["time", "level", "event", "action", "request_id", "correlation_id", "trace_id", "role", "notification_id"]
    assert list(line) == [*known, "status"]
    assert line["time"].endswith("Z")
    assert len(line["time"]) == len("2026-11-22T10:15:00.000Z")
    assert (line["event"], line["request_id"], line["status"]) == ("Accepted.", "r-1", 202)


def test_people_see_an_id_twice_only_when_there_are_two(as_text):
    structlog.contextvars.bind_contextvars(request_id="r-1", correlation_id="r-1")
    log.info("Alone.")
    structlog.contextvars.bind_contextvars(correlation_id="story-7")
    log.info("In a story.")

    alone, story = as_text().splitlines()
    assert alone.endswith("Alone.  request_id=r-1")
    assert story.endswith("In a story.  request_id=r-1 correlation_id=story-7")


def test_lines_of_libraries_look_like_ours(as_json):
    structlog.contextvars.bind_contextvars(request_id="r-1")
    library.warning("Sent to %s", "ann@example.com", extra={"request": "never shown"})

    (line,) = as_json()

    assert line["event"] == "Sent to a••@example.com"
    assert (line["level"], line["logger"], line["request_id"]) == ("warning", "tests.library", "r-1")
    assert "request" not in line


def test_a_role_that_was_bound_wins(as_json):
    structlog.contextvars.bind_contextvars(role="email_consumer")
    log.info("Claimed.")

    assert as_json()[0]["role"] == "email_consumer"


def test_lines_under_the_level_are_not_written(as_text):
    log.debug("Too fine.")
    library.debug("Too fine.")

    assert as_text() == ""


def test_fields_with_secret_names_are_hidden_at_any_depth(as_json):
    log.info("x", password="p", headers={"Authorization": "abc", "X-Api-Key": "k", "Accept": "json"}, api_key_id=7)

    line = as_json()[0]

    assert line["password"] == "••••"
    assert line["headers"] == {"Authorization": "••••", "X-Api-Key": "••••", "Accept": "json"}
    assert line["api_key_id"] == 7


@pytest.mark.parametrize(
    "name",
    ["password", "access_token", "Authorization", "client_secret", "api_key", "apiKey", "Set-Cookie", "refreshToken"],
)
def test_these_names_are_secret(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["api_key_id", "token_count", "monkey", "key_prefix", "notification_id", "event"])
def test_these_names_are_not(name):
    assert not is_secret(name)


def test_addresses_are_masked_in_sentence_and_values(as_json):
    log.info("Sent to ann@example.com.", to=["ann@example.com", {"cc": "bob@example.com"}])

    line = as_json()[0]

    assert line["event"] == "Sent to a••@example.com."
    assert line["to"] == ["a••@example.com", {"cc": "b••@example.com"}]


def test_plain_values_stay_and_objects_are_known_by_their_type_only(as_json):
    class Person:
        def __str__(self):
            return "Ann, born 1980"

    number, moment = uuid.uuid4(), datetime(2026, 1, 1, tzinfo=UTC)
    log.info("x", a=None, b=True, c=1.5, d=2**80, e=number, f=timedelta(seconds=2), g=moment, h=Person())

    line = as_json()[0]

    assert [line[name] for name in "abcdef"] == [None, True, 1.5, str(2**80), str(number), 2.0]
    assert (line["g"], line["h"]) == ("2026-01-01 00:00:00+00:00", "<Person>")


def test_no_text_can_forge_a_line_or_steer_a_terminal(as_text):
    log.info("one\nINFO two\r\x1b[31m\u2028\u202e\x85", name="a\nb")
    library.warning("three\n%s", "four")

    text = as_text()

    assert len(text.splitlines()) == 2
    assert r"one\nINFO two\r\x1b[31m\u2028\u202e\x85" in text


def test_half_a_surrogate_pair_breaks_no_line(as_json):
    log.info("half \ud800")

    assert as_json()[0]["event"] == r"half \ud800"


def test_a_very_long_text_is_cut(as_json):
    log.info("x" * 1_000_000)

    assert len(as_json()[0]["event"]) <= structured_logging.LONGEST_TEXT + 1


def broken():
    raise ValueError("ann@example.com said\n2026-01-01T00:00:00.000Z ERROR forged")


@pytest.mark.parametrize("logger", [log, library])
def test_a_traceback_is_masked_and_stands_indented_below_its_line(as_text, logger):
    try:
        broken()
    except ValueError:
        logger.exception("It broke.")

    head, *below = as_text().splitlines()

    assert "It broke." in head
    assert "ValueError: a••@example.com said" in below[-2]
    assert all(line.startswith("    ") for line in below)


def test_a_traceback_is_one_field_for_machines(as_json):
    try:
        broken()
    except ValueError:
        log.exception("It broke.")

    (line,) = as_json()

    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert "ValueError: a••@example.com said\n" in line["exception"]


def test_django_notes_no_refused_request_a_second_time(as_text):
    logging.getLogger("django.request").warning("Not Found: %s", "/x")
    logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header")

    assert as_text() == ""


def test_the_traceback_of_an_unforeseen_error_comes_through(as_text):
    try:
        broken()
    except ValueError as error:
        logging.getLogger("django.request").error("Internal Server Error: /x", exc_info=error)

    assert "ValueError" in as_text()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_are_for_terminals_only(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    configure_logging(level="INFO", log_format="text")
    for stream, coloured in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        log.info("Hello.")
        assert ("\x1b[" in stream.getvalue()) is coloured


def test_no_color_is_respected(monkeypatch):
    configure_logging(level="INFO", log_format="text")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stderr", Terminal())
    log.info("Hello.")

    assert "\x1b[" not in sys.stderr.getvalue()


def test_configuring_again_writes_each_line_once(as_text):
    configure_logging(level="INFO", log_format="text")
    log.info("Hello.")

    assert as_text().count("Hello.") == 1


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["manage.py", "run_email_consumer"], "email_consumer"),
        (["./manage.py", "run_web", "--port=1"], "web"),
        (["manage.py", "migrate"], "manage"),
        (["/venv/bin/granian", "--interface", "wsgi"], "web"),
        ([""], "web"),
    ],
)
def test_a_process_is_named_after_its_command(arguments, role):
    assert process_role(arguments) == role
