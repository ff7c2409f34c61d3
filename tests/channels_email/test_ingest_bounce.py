"""One mail from a mail server's pipe, and the exit code by which the server knows what to do with it."""

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import OperationalError

from channels_email.management.commands import ingest_bounce
from channels_email.return_address import read_bounce_domain, return_address
from gateway.statuses import Status
from tests.channels_email import bounce_mails as mails
from tests.channels_email.bounce_scene import ANN, blocked, ended, sent_to

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def domain(settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")


@pytest.fixture
def pipe(monkeypatch):
    """Runs the command with a mail on standard input; returns the exit code."""

    def run(raw: bytes, **options) -> int:
        monkeypatch.setattr(ingest_bounce.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
        try:
            call_command("ingest_bounce", **options)
        except CommandError as error:
            return error.returncode
        return 0

    return run


def test_a_bounce_is_taken_and_a_repeat_too(pipe, capsys):
    row = sent_to()
    raw = mails.postfix("shop@mail.example", ANN, row.message_id)
    assert pipe(raw, recipient=return_address(row.pk), json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"known": True, "outcome": "bounced", "notification_id": str(row.pk)}
    assert pipe(raw, recipient=return_address(row.pk)) == 0
    assert ended(row) == (Status.BOUNCED, "mailbox_unknown")
    assert blocked() == ["hard_bounce"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (mails.a_human("b@bounces.example.com", ANN, "x"), 65),
        (b"", 65),
        (b"x" * (3 * 1024 * 1024), 65),
        (mails.out_of_office("b@bounces.example.com", ANN, "x"), 0),
        (mails.postfix("b@bounces.example.com", ANN, "somebody-elses"), 0),
        (mails.yahoo_complaint("b@bounces.example.com", ANN, "x", kind="not-spam"), 0),
    ],
)
def test_only_what_a_person_may_have_written_goes_back(pipe, raw, code, capsys):
    assert pipe(raw, json=True) == code
    assert json.loads(capsys.readouterr().out)["known"] is False


@pytest.mark.parametrize("trouble", [OperationalError("away"), ZeroDivisionError("a fault of ours")])
def test_what_cannot_be_taken_now_comes_again(pipe, monkeypatch, trouble):
    def fail(mail):
        raise trouble

    monkeypatch.setattr(ingest_bounce, "take_in", fail)
    assert pipe(mails.postfix("b@bounces.example.com", ANN, "x")) == 75


def test_the_help_shows_how_servers_call_it(capsys):
    with pytest.raises(SystemExit):
        call_command("ingest_bounce", "--help")
    told = capsys.readouterr().out
    assert "Postfix" in told
    assert "Exim" in told


@pytest.mark.parametrize(
    ("surroundings", "arguments", "code"),
    [
        ({"ENVIRONMENT": "production"}, [], 75),
        ({"VAR_DIR": "/dev/null/none"}, [], 75),
        ({}, ["--no-such-option"], 75),
        ({"ENVIRONMENT": "production"}, None, 2),
    ],
)
def test_what_cannot_even_start_loses_no_mail(tmp_path, surroundings, arguments, code):
    command = ["check"] if arguments is None else ["ingest_bounce", *arguments]
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=configured.BASE_DIR,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path)} | surroundings,
        input=b"From: a\n\nb",
        capture_output=True,
        check=False,
    )
    assert done.returncode == code
    assert done.stderr
