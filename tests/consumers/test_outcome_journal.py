"""The journal survives an abrupt end, and is replayed by nobody while its process lives."""

import signal
import subprocess
import sys
import uuid
from datetime import timedelta

import pytest

from consumers.outcome_journal import JournalLine, OutcomeJournal, orphans
from gateway.channel_contract import Outcome, SendResult
from tests.fakes import ACCEPTED

CHILD = """
import os, sys
from pathlib import Path
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "users", "templates_app", "gateway"],
    AUTH_USER_MODEL="users.User",
    FAILPOINTS="",
    VAR_DIR=sys.argv[1],
    DELIVERY_TIME_SCALE=1,
)
django.setup()
from consumers.outcome_journal import OutcomeJournal
from tests.consumers.test_outcome_journal import a_line

journal = OutcomeJournal(Path(sys.argv[1]))
for number in range(3):
    journal.append(a_line(provider_message_id=str(number)))
if sys.argv[2] == "half a line":
    os.write(journal._descriptor, b'{"notification": "0190')
print("written", flush=True)
sys.stdin.readline()
os._exit(9)
"""


def a_line(**answer) -> JournalLine:
    return JournalLine(
        notification_id=uuid.uuid4(),
        claim_token=uuid.uuid4(),
        attempt_id=uuid.uuid4(),
        provider="fake",
        result=SendResult(outcome=Outcome.ACCEPTED, **answer),
    )


def lines_in(folder) -> list[JournalLine]:
    found = []
    for orphan in orphans(folder):
        found += orphan.lines
        orphan.leave()
    return found


@pytest.fixture
def writer(tmp_path):
    """Another process that has written three lines and waits."""
    started = []

    def start(how: str = "") -> subprocess.Popen:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        assert child.stdout.readline() == "written\n"
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def test_a_journal_is_nobodys_while_its_process_lives_and_complete_when_it_is_killed(tmp_path, writer):
    child = writer()
    assert list(tmp_path.glob("*.journal"))
    assert lines_in(tmp_path) == []
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert [line.result.provider_message_id for line in lines_in(tmp_path)] == ["0", "1", "2"]


def test_half_a_last_line_of_a_process_that_ended_without_a_goodbye_is_skipped(tmp_path, writer):
    child = writer("half a line")
    child.communicate("go\n")
    assert child.returncode == 9
    assert [line.result.provider_message_id for line in lines_in(tmp_path)] == ["0", "1", "2"]


def test_a_journal_is_replayed_by_one_at_a_time(tmp_path):
    OutcomeJournal(tmp_path).close(keep=True)
    first = list(orphans(tmp_path))
    assert len(first) == 1
    assert list(orphans(tmp_path)) == []
    first[0].leave()
    again = list(orphans(tmp_path))
    assert len(again) == 1
    again[0].leave()


def test_a_discarded_journal_is_gone(tmp_path):
    OutcomeJournal(tmp_path).close(keep=True)
    for orphan in orphans(tmp_path):
        orphan.discard()
    assert list(tmp_path.iterdir()) == []


def test_our_own_thread_next_door_counts_as_alive(tmp_path):
    journal = OutcomeJournal(tmp_path)
    journal.append(a_line())
    assert lines_in(tmp_path) == []
    journal.close()


def test_every_field_of_an_answer_comes_back(tmp_path):
    line = JournalLine(
        notification_id=uuid.uuid4(),
        claim_token=uuid.uuid4(),
        attempt_id=uuid.uuid4(),
        provider="fake",
        result=SendResult(
            outcome=Outcome.THROTTLED,
            provider_message_id="<1@fake>",
            error_code="greylisted",
            provider_code="451 4.7.1",
            detail="Zu viele Nachrichten – später,\nбудь ласка",
            retry_after=timedelta(seconds=90.5),
            reason="mailbox_full",
        ),
    )
    journal = OutcomeJournal(tmp_path)
    journal.append(line)
    journal.close(keep=True)
    assert lines_in(tmp_path) == [line]


def test_a_cleared_journal_holds_only_what_came_after(tmp_path):
    journal = OutcomeJournal(tmp_path)
    journal.append(a_line(provider_message_id="before"))
    journal.clear()
    journal.append(a_line(provider_message_id="after"))
    journal.close(keep=True)
    assert [line.result.provider_message_id for line in lines_in(tmp_path)] == ["after"]


def test_closing_removes_a_journal_that_is_not_needed(tmp_path):
    journal = OutcomeJournal(tmp_path)
    journal.append(a_line())
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_journals_stay_private(tmp_path):
    journal = OutcomeJournal(tmp_path / "deep" / "folder")
    assert journal.path.stat().st_mode & 0o077 == 0
    journal.close()


def test_a_folder_that_does_not_exist_holds_no_orphans(tmp_path):
    assert list(orphans(tmp_path / "nothing here")) == []


def test_two_journals_of_one_process_have_files_of_their_own(tmp_path):
    one, other = OutcomeJournal(tmp_path), OutcomeJournal(tmp_path)
    assert one.path != other.path
    one.close()
    other.close()


def test_a_line_without_a_retry_after_stays_without(tmp_path):
    journal = OutcomeJournal(tmp_path)
    journal.append(
        JournalLine(
            notification_id=uuid.uuid4(),
            claim_token=uuid.uuid4(),
            attempt_id=uuid.uuid4(),
            provider="fake",
            result=ACCEPTED,
        )
    )
    journal.close(keep=True)
    assert lines_in(tmp_path)[0].result.retry_after is None
