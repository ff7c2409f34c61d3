"""A mail goes out by SMTP, and comes back to the address it went out with: by every way there is."""

import base64
import io
import threading
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from channels_email.channel import EmailChannel
from channels_email.management.commands import ingest_bounce
from channels_email.providers.smtp import SmtpProvider
from channels_email.return_address import read_bounce_domain
from channels_email.standins.smtp_server import SmtpServer
from consumers.sweeper import Sweeper, chores
from gateway.answers import is_final
from gateway.models import ProviderEvent
from gateway.statuses import Status
from tests.channels_email import bounce_mails as mails
from tests.channels_email.bounce_scene import blocked
from tests.consumers.engine import RULES, a_template, now_as, submit
from tests.factories import UserFactory
from tests.standins.imap_server import ImapServer

pytestmark = pytest.mark.django_db(transaction=True)
BASIC = "Basic " + base64.b64encode(b"mail:s3cret").decode()


@pytest.fixture
def mail_server(settings):
    settings.EMAIL_PROVIDERS = ["smtp"]
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")
    with SmtpServer() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}/?timeout=5"
        yield server


@pytest.fixture
def sweep(tmp_path):
    """One turn over all chores, those with threads of their own too."""

    def run() -> None:
        to_do = chores(channels=[EmailChannel()], journal_folder=tmp_path / "journals", rules=RULES)
        Sweeper(to_do, stopping=threading.Event()).run(once=True)

    return run


def by_pipe(monkeypatch, raw: bytes, recipient: str) -> None:
    monkeypatch.setattr(ingest_bounce.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    call_command("ingest_bounce", recipient=recipient)


@pytest.fixture(params=["pipe", "post", "maildir", "imap"])
def come_back(request, settings, monkeypatch, client, tmp_path, sweep):
    """Delivers a mail at the return address, by one of the four ways."""
    if request.param == "pipe":
        yield lambda raw, recipient: by_pipe(monkeypatch, raw, recipient)
    elif request.param == "post":
        settings.PROVIDER_WEBHOOK_SECRET = "mail:s3cret"
        yield lambda raw, recipient: client.post(
            "/webhooks/email/smtp/bounce/",
            raw,
            content_type="message/rfc822",
            query_params={"recipient": recipient},
            headers={"authorization": BASIC},
        )
    elif request.param == "maildir":
        settings.BOUNCE_MAILDIR = str(tmp_path)
        (tmp_path / "new").mkdir()

        def drop(raw: bytes, recipient: str) -> None:
            (tmp_path / "new" / "1.host").write_bytes(f"Delivered-To: {recipient}\n".encode() + raw)
            sweep()

        yield drop
    else:
        with ImapServer() as server:
            settings.BOUNCE_IMAP_URL = f"imap://returns:s3cret@127.0.0.1:{server.port}"

            def put(raw: bytes, recipient: str) -> None:
                server.put(f"Delivered-To: {recipient}\n".encode() + raw)
                sweep()

            yield put


def test_a_mail_that_comes_back_ends_bounced_and_blocks_the_address_once(deliver, mail_server, come_back):
    notification = submit(UserFactory(email="gone@example.com"), a_template())
    deliver(SmtpProvider(), notification)
    row = now_as(notification)
    assert row.status == Status.SENT
    assert not is_final(row, now=row.sent_at)
    (sent,) = mail_server.messages
    for _ in range(2):
        come_back(mails.postfix(sent.sender, "gone@example.com", notification.message_id), sent.sender)
    row = now_as(notification)
    assert (row.status, row.reason) == (Status.BOUNCED, "mailbox_unknown")
    assert is_final(row, now=row.sent_at)
    assert blocked() == ["hard_bounce"]
    assert ProviderEvent.objects.count() == 1
