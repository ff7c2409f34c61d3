import argparse
import shlex
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import get_commands, load_command_class

from users.command_line import duration, port_number, positive, rate, since

OWN_APPS = {"users", "templates_app", "gateway", "channels_email", "channels_push", "consumers", "notifications_site"}
OWN = sorted(name for name, app in get_commands().items() if app in OWN_APPS)
#: Commands for developers of the platform itself need no examples.
WITH_EXAMPLES = [name for name in OWN if hasattr(load_command_class(get_commands()[name], name), "examples")]


def parser_of(name):
    return load_command_class(get_commands()[name], name).create_parser("manage.py", name)


def test_there_are_commands_to_look_at():
    assert {"run_platform", "run_web", "create_api_key", "seed_demo"} <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("name", OWN)
def test_the_first_line_of_help_is_short_and_a_sentence(name):
    first = load_command_class(get_commands()[name], name).help.splitlines()[0]

    assert len(first) < 70
    assert first.endswith(".")


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_help_ends_with_examples_that_keep_their_lines(name):
    text = parser_of(name).format_help()

    examples = text.partition("examples:\n")[2].splitlines()
    assert examples
    assert all(line.startswith("  ") and f"manage.py {name}" in line for line in examples)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_are_accepted_by_their_command(name):
    command = load_command_class(get_commands()[name], name)
    for example in command.examples:
        arguments = shlex.split(example.partition(f"manage.py {name}")[2].partition(" < ")[0])  # the shell takes that
        command.create_parser("manage.py", name).parse_args(arguments)


@pytest.mark.parametrize(("read", "text"), [(positive, "0"), (positive, "-1"), (positive, "²"), (port_number, "65536")])
def test_wrong_numbers_are_usage_errors(read, text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"needed|from 1 on"):
        read(text)


def test_a_huge_duration_is_refused_before_it_breaks_the_clock():
    with pytest.raises(argparse.ArgumentTypeError):
        duration("9999999d")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2h", timedelta(hours=2)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T14:30", datetime(2026, 11, 1, 14, 30, tzinfo=UTC)),
        ("2026-11-01T14:30+02:00", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
    ],
)
def test_since_is_so_long_ago_or_a_moment(text, meant):
    assert since(text) == meant


@pytest.mark.parametrize("text", ["", "0h", "yesterday", "2026-13-01", "2w"])
def test_what_is_neither_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        since(text)


@pytest.mark.parametrize(("text", "per_second"), [("50/s", 50), ("600/m", 10), ("1800/h", 0.5)])
def test_a_rate_is_so_many_a_second(text, per_second):
    assert rate(text) == per_second


@pytest.mark.parametrize("text", ["", "50", "0/s", "1.5/s", "5/d", "/s"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        rate(text)
