"""Mails with files all the way to a mail server."""

import email
from email import policy

import pytest

from channels_email.providers.capture import CaptureProvider
from channels_email.providers.smtp import SmtpProvider
from channels_email.standins.smtp_server import SmtpServer
from channels_email.standins.smtp_session import Offer
from consumers import hand_over
from gateway import attachments
from gateway.channel_contract import Outcome
from gateway.models import StoredFile
from gateway.request import AttachmentRequest
from gateway.statuses import Status
from tests.consumers.engine import a_template, attempts_of, now_as, submit
from tests.factories import UserFactory
from tests.fakes import FakeProvider

pytestmark = pytest.mark.django_db

INVOICE = AttachmentRequest(filename="invoice.pdf", content_type="application/pdf", content=b"%PDF " + b"x" * 3000)
LOGO = AttachmentRequest(filename="logo.png", content_type="image/png", content=b"\x89PNG\r\n", content_id="logo")
WITH_LOGO = {
    "subject": "Hi",
    "html": '<p>Dear {{ name }} <img src="cid:logo" alt="Shop"></p>',
    "text": "Dear {{ name }}",
}


def with_files(*files, count=1, template=None):
    template = template or a_template(words=WITH_LOGO)
    return [submit(UserFactory(), template, attachments=files) for _ in range(count)]


def test_files_and_images_reach_the_mail_server(deliver, settings):
    (notification,) = with_files(INVOICE, LOGO)
    with SmtpServer() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}/?timeout=5"
        deliver(SmtpProvider(), notification)
        (received,) = server.messages
    mail = email.message_from_bytes(received.content, policy=policy.default)
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("invoice.pdf", INVOICE.content)
    assert 'src="cid:logo"' in mail.get_body(("html",)).get_content()
    (image,) = [each for each in mail.walk() if each["Content-ID"] == "<logo>"]
    assert image.get_content() == LOGO.content
    assert now_as(notification).status == Status.SENT


def test_the_inbox_keeps_them_as_they_would_have_left(deliver):
    (notification,) = with_files(INVOICE, LOGO)
    deliver(CaptureProvider(), notification)
    kept = notification.captured_emails.get()
    assert b'filename="invoice.pdf"' in kept.source
    assert b"Content-ID: <logo>" in kept.source


def test_a_mail_too_large_for_the_server_says_so(deliver, settings):
    (notification,) = with_files(INVOICE)
    with SmtpServer(offer=Offer(size=2000)) as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}/?timeout=5"
        deliver(SmtpProvider(), notification)
    assert [each.error_code for each in attempts_of(notification)] == ["too_large"]
    assert now_as(notification).status == Status.FAILED


def test_a_file_that_is_gone_ends_its_own_mail_alone(deliver, settings):
    gone, fine = with_files(INVOICE, count=2)
    file_id = gone.attachments.get().file_id

    class Late(SmtpProvider):
        """Between preparation and hand-over somebody erases a file."""

        def connect(self):
            super().connect()
            attachments.erase([gone.pk])

    with SmtpServer() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}/?timeout=5"
        deliver(Late(), gone, fine)
    assert not StoredFile.objects.filter(pk=file_id).exists()
    assert [now_as(each).status for each in (gone, fine)] == [Status.FAILED, Status.SENT]
    (attempt,) = attempts_of(gone)
    assert (attempt.outcome, attempt.error_code) == (Outcome.PERMANENT, "attachment_away")


def test_heavy_mails_are_handed_over_a_few_at_a_time(deliver, monkeypatch):
    """Their outcomes are committed before the next ones leave, and few lie in memory at once."""
    monkeypatch.setattr(hand_over, "HEAVIEST", 2 * len(INVOICE.content))
    notifications = with_files(INVOICE, count=5)
    handed_over = []

    class Watched(FakeProvider):
        def send(self, messages):
            handed_over.append(len(messages))
            return super().send(messages)

    assert deliver(Watched(), *notifications) == 5
    assert handed_over == [2, 2, 1]


def test_a_mail_heavier_than_that_goes_alone(deliver, monkeypatch):
    monkeypatch.setattr(hand_over, "HEAVIEST", 10)
    notifications = with_files(INVOICE, count=2)
    assert deliver(FakeProvider(), *notifications) == 2
    assert {now_as(each).status for each in notifications} == {Status.SENT}
