"""The command by which operators revive or discard many dead letters."""

import io
import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from gateway import dead_letters
from gateway.channel_contract import Outcome
from gateway.models import Notification, NotificationEvent
from gateway.statuses import Status
from tests.factories import AttemptFactory, NotificationFactory, PublishedVersionFactory
from users import command_line

pytestmark = pytest.mark.django_db


def dead(**columns):
    given = {"status": Status.FAILED, "reason": "attempts_exhausted", "provider": "smtp"}
    return NotificationFactory(**(given | columns))


def run(capsys, *arguments):
    call_command("replay_dead_letters", *arguments)
    return capsys.readouterr().out


def refused(*arguments):
    with pytest.raises(CommandError) as caught:
        call_command("replay_dead_letters", *arguments)
    return caught.value


def statuses():
    return sorted(Notification.objects.values_list("status", flat=True))


class Terminal(io.StringIO):
    """Standard input of somebody who can be asked."""

    def isatty(self):
        return True


def answering(monkeypatch, words):
    monkeypatch.setattr(command_line.sys, "stdin", Terminal(words))


def test_a_dry_run_shows_groups_and_forecast_and_changes_nothing(capsys):
    dead()
    AttemptFactory(notification=dead(reason="rejected"), outcome=Outcome.UNKNOWN, claim_token=uuid4())
    text = run(capsys, "--dry-run")
    assert "attempts_exhausted (Given up)" in text
    assert "A replay would revive 1 dead letter." in text
    assert "--include-doubtful): 1." in text
    assert text.endswith("Nothing was changed.\n")
    assert statuses() == ["failed", "failed"]


def test_with_yes_it_replays_and_says_how_many(capsys):
    row = dead()
    assert run(capsys, "--why", "the server is back", "--yes").endswith("Replayed: 1.\n")
    assert statuses() == ["accepted"]
    event = row.events.get()
    assert event.data["why"] == "the server is back"
    assert event.data["who"].endswith("(command line)")


def test_json_is_one_object(capsys):
    dead()
    told = json.loads(run(capsys, "--why", "again", "--yes", "--json"))
    assert (told["replayed"], told["total"], told["dry_run"]) == (1, 1, False)
    assert told["groups"][0]["reason"] == "attempts_exhausted"
    assert told["forecast"]["count"] == 1


def test_filters_choose(capsys):
    version = PublishedVersionFactory(template__code="weekly_news")
    wanted = dead(provider="", template_version=version, reason="poison")
    dead()
    chosen = ["--provider", "none", "--template", "weekly_news", "--reason", "poison", "--channel", "email"]
    run(capsys, *chosen, "--since", "2h", "--why", "again", "--yes")
    assert Notification.objects.get(status=Status.ACCEPTED) == wanted


def test_discard_lays_aside(capsys):
    dead()
    assert run(capsys, "--discard", "--why", "too old", "--yes").endswith("Discarded: 1.\n")
    assert not Notification.objects.dead_letters().exists()


def test_nothing_to_do_is_no_error_and_nobody_is_asked(capsys):
    assert "No dead letters match." in run(capsys, "--why", "again")


@pytest.mark.parametrize("said", ["\n", "n\n", "", "perhaps\n"])
def test_the_default_answer_is_no(monkeypatch, said):
    dead()
    answering(monkeypatch, said)
    trouble = refused("--why", "again")
    assert (trouble.returncode, str(trouble)) == (1, "Nothing was changed.")
    assert statuses() == ["failed"]


def test_yes_at_the_terminal_replays(monkeypatch, capsys):
    dead()
    answering(monkeypatch, "yes\n")
    run(capsys, "--why", "again")
    assert statuses() == ["accepted"]


def test_without_a_terminal_it_refuses(monkeypatch):
    dead()
    monkeypatch.setattr(command_line.sys, "stdin", io.StringIO("yes\n"))
    trouble = refused("--why", "again")
    assert trouble.returncode == 2
    assert "--yes" in str(trouble)
    assert statuses() == ["failed"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--why"),
        (["--why", "  ", "--yes"], "--why"),
        (["--why", "x" * 201], "--why"),
        (["--why", "a\nb"], "--why"),
        (["--why", "x", "--reason", "bad_luck"], "--reason bad_luck"),
        (["--why", "x", "--template", "nothing"], "--template nothing"),
        (["--why", "x", "--discard", "--rate", "5/s"], "--discard"),
    ],
)
def test_wrong_arguments_are_named(arguments, named):
    dead()
    trouble = refused(*arguments)
    assert trouble.returncode == 2
    assert named in str(trouble)
    assert statuses() == ["failed"]


@pytest.mark.parametrize(
    "arguments", [["--since", "yesterday"], ["--rate", "fast"], ["--limit", "0"], ["--channel", "fax"]]
)
def test_unreadable_arguments_are_a_usage_error(arguments):
    assert f"argument {arguments[0]}" in str(refused("--why", "x", *arguments))


def test_a_database_that_goes_away_half_way_leaves_a_part_done(monkeypatch):
    monkeypatch.setattr(dead_letters, "BATCH", 1)
    dead(), dead()
    replay, calls = dead_letters.replaying.replay, []

    def fail_later(*args, **how):
        calls.append(args)
        if len(calls) == 2:
            raise OperationalError("gone")
        return replay(*args, **how)

    monkeypatch.setattr(dead_letters.replaying, "replay", fail_later)
    trouble = refused("--why", "again", "--yes")
    assert trouble.returncode == 3
    assert "after 1;" in str(trouble)
    assert statuses() == ["accepted", "failed"]


def test_control_c_before_anything_was_done_is_a_failure(monkeypatch):
    def interrupt(*args, **how):
        raise KeyboardInterrupt

    dead()
    monkeypatch.setattr(dead_letters.replaying, "replay", interrupt)
    assert refused("--why", "again", "--yes").returncode == 1
    assert not NotificationEvent.objects.exists()


def test_tests_are_left_alone_unless_they_are_asked_for(capsys):
    dead()
    dead(is_simulated=True)
    assert json.loads(run(capsys, "--dry-run", "--json"))["total"] == 1
    assert json.loads(run(capsys, "--tests", "--yes", "--json", "--why", "again"))["replayed"] == 1
    assert Notification.objects.get(status=Status.ACCEPTED).is_simulated
