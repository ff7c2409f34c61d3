"""What dead processes had written down comes into the database, once, and only what is certain."""

import shutil
import uuid

import pytest
from django.db import OperationalError
from uuid_utils.compat import uuid7

from consumers.journal_replay import replay_journals
from consumers.outcome_journal import JournalLine, OutcomeJournal
from gateway import tracking
from gateway.channel_contract import Outcome, SendResult
from gateway.models import Notification
from gateway.outbox import Held
from gateway.statuses import Status
from gateway.tracking import HandOver
from tests.consumers.engine import (
    MAX_ATTEMPTS,
    RULES,
    attempts_of,
    claim,
    events_of,
    make_due,
    now_as,
    several,
    statuses_of,
)
from tests.factories import NotificationFactory
from tests.fakes import ACCEPTED, BUSY, CUT_OFF, REFUSED
from users.channels import Channel

pytestmark = pytest.mark.django_db


def hand_over(notification: Notification, *devices: uuid.UUID | None) -> tuple[Notification, list[uuid.UUID]]:
    """Claimed and marked, as a consumer leaves it just before the provider's answer: the row and its attempts."""
    (row,) = claim(notification)
    attempts = tuple((uuid7(), device) for device in devices or (None,))
    marks = [HandOver(held=Held(row.pk, row.claim_token), number=row.attempt_count + 1, attempts=attempts)]
    assert tracking.open_attempts(marks, provider="fake", reports_delivery=False) == {row.pk}
    return row, [attempt_id for attempt_id, _ in attempts]


def a_line(row: Notification, attempt_id: uuid.UUID, result: SendResult) -> JournalLine:
    return JournalLine(
        notification_id=row.pk, claim_token=row.claim_token, attempt_id=attempt_id, provider="fake", result=result
    )


def leave_behind(folder, *lines: JournalLine):
    """The journal of a dead process."""
    journal = OutcomeJournal(folder)
    for line in lines:
        journal.append(line)
    journal.close(keep=True)
    return journal.path


def replay(folder) -> int:
    return replay_journals(folder, rules=RULES)


@pytest.mark.parametrize(
    ("result", "status", "reason"),
    [
        (ACCEPTED, Status.SENT, "sent"),
        (BUSY, Status.ACCEPTED, "retrying"),
        (REFUSED, Status.FAILED, "mailbox_unknown"),
        (CUT_OFF, Status.UNKNOWN, "outcome_unknown"),
    ],
)
def test_an_answer_counts_as_if_its_process_had_lived(tmp_path, result, status, reason):
    row, (attempt,) = hand_over(*several(1))
    leave_behind(tmp_path, a_line(row, attempt, result))
    assert replay(tmp_path) == 1
    assert (now_as(row).status, now_as(row).reason) == (status, reason)
    assert attempts_of(row)[0].outcome == result.outcome
    assert list(tmp_path.iterdir()) == []


def test_tries_used_before_count(tmp_path):
    row, (attempt,) = hand_over(*several(1))
    Notification.objects.filter(pk=row.pk).update(tries_used=MAX_ATTEMPTS - 1)
    leave_behind(tmp_path, a_line(row, attempt, BUSY))
    replay(tmp_path)
    assert (now_as(row).status, now_as(row).reason) == (Status.FAILED, "attempts_exhausted")


@pytest.mark.parametrize("result", [ACCEPTED, BUSY, REFUSED, CUT_OFF])
def test_replaying_again_changes_nothing(tmp_path, result):
    row, (attempt,) = hand_over(*several(1))
    path = leave_behind(tmp_path, a_line(row, attempt, result))
    copy = shutil.copy(path, tmp_path / "copy")
    replay(tmp_path)
    before, events = now_as(row).__dict__, events_of(row)
    shutil.move(copy, tmp_path / "again.journal")
    replay(tmp_path)
    after = now_as(row).__dict__
    assert {name: value for name, value in after.items() if name != "_state"} == {
        name: value for name, value in before.items() if name != "_state"
    }
    assert events_of(row) == events


def test_an_answer_already_recorded_by_its_process_changes_nothing(tmp_path):
    row, (attempt,) = hand_over(*several(1))
    path = leave_behind(tmp_path, a_line(row, attempt, BUSY))
    copy = shutil.copy(path, tmp_path / "copy")
    replay(tmp_path)
    make_due(row)
    again, _ = hand_over(now_as(row))
    shutil.move(copy, tmp_path / "again.journal")
    replay(tmp_path)
    assert now_as(row).status == Status.SENDING
    assert now_as(row).claim_token == again.claim_token


def test_journals_of_several_processes_are_replayed_together(tmp_path):
    rows = several(3)
    for row in rows:
        claimed, (attempt,) = hand_over(row)
        leave_behind(tmp_path, a_line(claimed, attempt, ACCEPTED))
    assert replay(tmp_path) == 3
    assert statuses_of(*rows) == [Status.SENT] * 3


# --- several devices --------------------------------------------------------------------------------------------------
def a_push() -> Notification:
    return NotificationFactory(channel=Channel.PUSH)


def test_a_journal_cut_off_between_two_devices_leaves_the_doubt_to_the_sweeper(tmp_path):
    row, (first, _) = hand_over(a_push(), uuid.uuid4(), uuid.uuid4())
    leave_behind(tmp_path, a_line(row, first, REFUSED))
    replay(tmp_path)
    assert now_as(row).status == Status.SENDING
    assert sorted(str(each.outcome) for each in attempts_of(row)) == ["None", "permanent"]


def test_one_device_that_took_it_is_enough_though_the_journal_is_cut_off(tmp_path):
    row, (first, _) = hand_over(a_push(), uuid.uuid4(), uuid.uuid4())
    leave_behind(tmp_path, a_line(row, first, ACCEPTED))
    replay(tmp_path)
    assert now_as(row).status == Status.SENT


def test_all_devices_together_make_the_verdict(tmp_path):
    row, (first, second) = hand_over(a_push(), uuid.uuid4(), uuid.uuid4())
    leave_behind(tmp_path, a_line(row, first, REFUSED), a_line(row, second, BUSY))
    replay(tmp_path)
    assert (now_as(row).status, now_as(row).reason) == (Status.ACCEPTED, "retrying")


# --- too late ---------------------------------------------------------------------------------------------------------
def test_an_answer_settles_the_doubt_the_sweeper_has_declared_meanwhile(tmp_path):
    row, (attempt,) = hand_over(*several(1))
    tracking.doubt_stalled(limit=10, whoever_holds=True)
    leave_behind(tmp_path, a_line(row, attempt, ACCEPTED))
    replay(tmp_path)
    assert now_as(row).status == Status.SENT
    assert not now_as(row).possible_duplicate
    assert attempts_of(row)[0].outcome == Outcome.ACCEPTED


def test_an_answer_that_comes_after_another_try_began_is_noted_once(tmp_path):
    row, (attempt,) = hand_over(*several(1))
    tracking.doubt_stalled(limit=10, whoever_holds=True)
    Notification.objects.filter(pk=row.pk).update(status=Status.ACCEPTED, claim_token=None)
    hand_over(now_as(row))
    leave_behind(tmp_path, a_line(row, attempt, ACCEPTED))
    leave_behind(tmp_path, a_line(row, attempt, ACCEPTED))
    replay(tmp_path)
    assert now_as(row).status == Status.SENDING
    assert events_of(row).count("late_answer") == 1
    assert attempts_of(row)[0].outcome == Outcome.ACCEPTED


def test_an_answer_about_a_notification_that_is_gone_is_dropped(tmp_path):
    row, (attempt,) = hand_over(*several(1))
    Notification.objects.filter(pk=row.pk).delete()
    leave_behind(tmp_path, a_line(row, attempt, ACCEPTED))
    assert replay(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


# --- trouble ----------------------------------------------------------------------------------------------------------
def test_the_journal_of_a_living_process_is_left_alone(tmp_path):
    row, (attempt,) = hand_over(*several(1))
    journal = OutcomeJournal(tmp_path)
    journal.append(a_line(row, attempt, ACCEPTED))
    assert replay(tmp_path) == 0
    assert now_as(row).status == Status.SENDING
    journal.close()


def test_an_empty_journal_is_cleared_away(tmp_path):
    leave_behind(tmp_path)
    assert replay(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_there_is_nothing_to_replay(tmp_path):
    assert replay(tmp_path / "none") == 0


def test_a_journal_stays_while_the_database_is_away(tmp_path, monkeypatch):
    def gone(recorded):
        raise OperationalError("server closed the connection")

    row, (attempt,) = hand_over(*several(1))
    leave_behind(tmp_path, a_line(row, attempt, ACCEPTED))
    with monkeypatch.context() as patched:
        patched.setattr(tracking, "record_outcomes", gone)
        with pytest.raises(OperationalError):
            replay(tmp_path)
    assert replay(tmp_path) == 1
    assert now_as(row).status == Status.SENT


def test_a_journal_that_cannot_be_recorded_stays_and_does_not_keep_the_others_from_it(tmp_path, monkeypatch):
    odd, good = (hand_over(each) for each in several(2))
    record = tracking.record_outcomes

    def refuse_the_odd_one(recorded):
        if recorded[0].held.id == odd[0].pk:
            raise ValueError("a fault of ours")
        return record(recorded)

    kept = leave_behind(tmp_path, a_line(odd[0], odd[1][0], ACCEPTED))
    leave_behind(tmp_path, a_line(good[0], good[1][0], ACCEPTED))
    kept = kept.rename(tmp_path / "0-comes-first.journal")
    monkeypatch.setattr(tracking, "record_outcomes", refuse_the_odd_one)
    assert replay(tmp_path) == 1
    assert statuses_of(odd[0], good[0]) == [Status.SENDING, Status.SENT]
    assert list(tmp_path.iterdir()) == [kept]
