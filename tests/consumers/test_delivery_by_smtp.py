"""A batch all the way to a mail server: what it logged and what the database says is the same."""

import json

import pytest

from channels_email.providers.smtp import SmtpProvider
from channels_email.standins.smtp_server import SmtpServer
from gateway.channel_contract import Outcome
from gateway.statuses import Status
from tests.consumers.engine import a_template, attempts_of, now_as, several, submit
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(tmp_path):
    return tmp_path / "accepted.jsonl"


@pytest.fixture
def mail_server(settings, log):
    with SmtpServer(log=log) as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}/?timeout=5"
        yield server


def test_what_the_mail_server_logged_is_sent(deliver, mail_server, log):
    notifications = several(30)
    assert deliver(SmtpProvider(), *notifications) == 30
    logged = {line["notification_id"]: line for line in map(json.loads, log.read_text().splitlines())}
    assert set(logged) == {str(each.pk) for each in notifications}
    assert mail_server.connection_count == 1
    for each in notifications:
        (attempt,) = attempts_of(each)
        line = logged[str(each.pk)]
        assert now_as(each).status == Status.SENT
        assert line["message_id"].startswith(f"<{each.message_id}@")
        assert attempt.provider_message_id == f"S{line['connection']}X{line['sequence']}"


@pytest.mark.parametrize(
    ("local", "status", "reason", "outcome", "is_logged"),
    [
        ("rcpt-550-5.1.1", Status.FAILED, "mailbox_unknown", Outcome.PERMANENT, False),
        ("rcpt-450-4.7.1", Status.ACCEPTED, "retrying", Outcome.TRANSIENT, False),
        ("dot-554-5.7.1", Status.FAILED, "rejected_content", Outcome.PERMANENT, False),
        ("dot-close", Status.UNKNOWN, "outcome_unknown", Outcome.UNKNOWN, False),
        ("accepted-close", Status.UNKNOWN, "outcome_unknown", Outcome.UNKNOWN, True),
    ],
)
def test_a_refusal_or_a_doubt_ends_as_what_it_is(deliver, mail_server, local, status, reason, outcome, is_logged):
    notification = submit(UserFactory(email=f"{local}@example.com"), a_template())
    deliver(SmtpProvider(), notification)
    row = now_as(notification)
    assert (row.status, row.reason) == (status, reason)
    assert [each.outcome for each in attempts_of(notification)] == [outcome]
    assert mail_server.accepted_count == is_logged
