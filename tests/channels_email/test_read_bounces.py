"""The mailboxes of bounces read by hand."""

import json

import pytest
from django.core.management import CommandError, call_command

from channels_email.bounce_places import EVERY, bounce_places
from channels_email.channel import EmailChannel
from channels_email.return_address import read_bounce_domain, return_address
from tests.channels_email import bounce_mails as mails
from tests.channels_email.bounce_scene import ANN, ended, sent_to
from tests.standins.imap_server import ImapServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")
    settings.BOUNCE_MAILDIR = str(tmp_path)
    (tmp_path / "new").mkdir()
    return tmp_path / "new"


@pytest.fixture
def mailbox(settings):
    with ImapServer() as server:
        settings.BOUNCE_IMAP_URL = f"imap://returns:s3cret@127.0.0.1:{server.port}"
        yield server


def a_bounce():
    row = sent_to()
    return row, mails.postfix(return_address(row.pk), ANN, row.message_id)


def test_without_a_mailbox_it_says_which_settings_name_one():
    with pytest.raises(CommandError, match="BOUNCE_MAILDIR") as failed:
        call_command("read_bounces")
    assert failed.value.returncode == 2
    assert EmailChannel().news_places() == {}


def test_a_dry_run_shows_every_mail_and_changes_nothing(folder, mailbox, capsys):
    row, raw = a_bounce()
    (folder / "1").write_bytes(raw)
    mailbox.put(mails.a_human("b@bounces.example.com", ANN, "x"))
    call_command("read_bounces", dry_run=True)
    assert capsys.readouterr().out.splitlines() == [
        "bounce_maildir: 1 waiting",
        f"  1: bounced {row.pk}",
        "bounce_imap: 1 waiting",
        "  101: no_bounce",
        "Nothing was changed.",
    ]
    call_command("read_bounces", dry_run=True, json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["bounce_maildir"] == [
        {"mail": "1", "outcome": "bounced", "notification_id": str(row.pk), "concerns_address": "yes"}
    ]
    assert ended(row)[0] == "sent"


def test_all_that_waits_is_taken(folder, mailbox, capsys):
    (first, one), (second, two) = a_bounce(), a_bounce()
    (folder / "1").write_bytes(one)
    mailbox.put(two)
    call_command("read_bounces", json=True)
    assert json.loads(capsys.readouterr().out) == {"dry_run": False, "bounce_maildir": 1, "bounce_imap": 1}
    assert ended(first)[0] == ended(second)[0] == "bounced"


def test_one_mailbox_that_is_away_keeps_no_other_from_being_read(folder, mailbox, capsys):
    row, raw = a_bounce()
    mailbox.put(raw)
    folder.rmdir()
    with pytest.raises(CommandError, match="BOUNCE_MAILDIR cannot be read") as failed:
        call_command("read_bounces")
    assert failed.value.returncode == 1
    assert ended(row)[0] == "bounced"


def test_the_sweeper_is_told_of_both(folder, mailbox):
    assert {name: place.every for name, place in bounce_places().items()} == EVERY
