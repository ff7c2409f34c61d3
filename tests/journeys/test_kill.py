"""Consumers are killed again and again while 500 notifications go out; provider and database agree in the end."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Count, Q

from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.engine import a_template, submit
from tests.factories import UserFactory
from tests.journeys.kill_campaign import LOG
from tests.journeys.kill_checker import HOLD, RESEND, Row, compare

ROOT = Path(__file__).resolve().parents[2]
RESENT, HELD = 400, 100
#: Long before a hanging run is given up, in seconds. A sound one takes a small part of it.
PATIENCE = 300


@pytest.fixture
def campaign(tmp_path):
    """Starts the campaign on this test's database; told to stop, it says how many were killed."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "notifications_site.settings"}
    command = [sys.executable, "-m", "tests.journeys.kill_campaign", str(tmp_path), connection.settings_dict["NAME"]]
    process = subprocess.Popen(
        [*command, "seed"], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    # The end of its input makes it stop its children, whatever happened here.
    process.stdin.close()
    process.wait()
    process.stdout.close()


def unfinished() -> int:
    """How many are still on their way; a doubt that is to be held has come to its end."""
    is_over = Q(status=Status.SENT) | Q(status=Status.UNKNOWN, template__on_unknown=HOLD)
    return Notification.objects.exclude(is_over).count()


def wait_until_finished(process: subprocess.Popen) -> None:
    ends_at = time.monotonic() + PATIENCE
    while left := unfinished():
        assert process.poll() is None, "the campaign ended early"
        statuses = dict(Notification.objects.values_list("status").annotate(Count("pk")))
        assert time.monotonic() < ends_at, f"{left} never came to an end: {statuses}"
        time.sleep(0.1)


def rows_now() -> dict[uuid.UUID, Row]:
    again = Count("events", filter=Q(events__type="possible_duplicate"))
    found = Notification.objects.annotate(again=again).values_list("pk", "status", "possible_duplicate", "again")
    return {pk: Row(status=status, is_flagged=flagged, resent=again) for pk, status, flagged, again in found}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nothing_is_lost_and_every_second_copy_is_explained_though_consumers_are_killed(campaign, tmp_path):
    ann = UserFactory()
    templates = {RESEND: a_template(on_unknown=RESEND), HOLD: a_template(on_unknown=HOLD)}
    rules = [HOLD if number % 5 == 0 else RESEND for number in range(RESENT + HELD)]
    accepted = {submit(ann, templates[rule]).pk: rule for rule in rules}
    wait_until_finished(campaign)
    kills = int(campaign.communicate("stop\n")[0])

    taken = [uuid.UUID(line) for line in (tmp_path / LOG).read_text().splitlines()]
    found = compare(accepted=accepted, taken=taken, rows=rows_now())
    print(
        f"{kills} kills, {len(taken)} copies, {found.explained_copies} explained, {len(found.in_doubt)} held in doubt"
    )
    assert found.faults == []
    assert len(accepted) == RESENT + HELD
    assert all(accepted[each] == HOLD for each in found.in_doubt)
    # Otherwise the kills have hit nothing and the test has shown nothing.
    assert kills >= 10
    assert Notification.objects.filter(attempts__outcome="unknown").exists()
