"""What comes back by mail, as real servers write it."""

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from channels_email.bounces import Bounce, NoBounce, Why, read_bounce
from channels_email.mail_parts import LARGEST_MAIL
from channels_email.return_address import read_bounce_domain, return_address
from gateway.channel_contract import EventType
from tests.channels_email import bounce_mails as mails

ANN = "ann@example.com"
NUMBER = uuid.UUID("01939f5e-8a4b-7c3d-9e2f-000000000042")
MESSAGE_ID = f"n-{NUMBER}"


@pytest.fixture
def sealed(settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")
    return return_address(NUMBER)


@pytest.mark.parametrize(
    ("written", "type_", "reason", "code"),
    [
        (mails.postfix, EventType.BOUNCED, "mailbox_unknown", "550 5.1.1"),
        (mails.postfix_delayed, EventType.DEFERRED, "bounced", ""),
        (mails.exim, EventType.BOUNCED, "mailbox_unknown", "550 5.0.0"),
        (mails.exim_in_words, EventType.BOUNCED, "mailbox_full", "552 5.2.2"),
        (mails.exchange, EventType.BOUNCED, "mailbox_unknown", "550 5.1.10"),
        (mails.gmail, EventType.BOUNCED, "mailbox_unknown", "550 5.1.1"),
        (mails.qmail, EventType.BOUNCED, "mailbox_unknown", "550 5.1.1"),
        (mails.sendmail, EventType.BOUNCED, "mailbox_full", "552 5.2.2"),
        (mails.yahoo_in_words, EventType.BOUNCED, "mailbox_unknown", "554"),
        (mails.headers_only, EventType.BOUNCED, "mailbox_unknown", "550 5.1.1"),
    ],
)
def test_each_server_is_understood(sealed, written, type_, reason, code):
    bounce = read_bounce(written(sealed, ANN, MESSAGE_ID))
    assert isinstance(bounce, Bounce)
    assert (bounce.notification_id, bounce.is_sealed) == (NUMBER, True)
    (report,) = bounce.reports
    assert (report.type, report.reason, report.code) == (type_, reason, code)
    assert {each.lower() for each in report.recipients} == {ANN}


@pytest.mark.parametrize("written", [mails.postfix, mails.exim, mails.gmail, mails.qmail, mails.headers_only])
def test_without_our_return_address_the_message_id_only_claims(written):
    bounce = read_bounce(written("shop@mail.example", ANN, MESSAGE_ID))
    assert (bounce.notification_id, bounce.is_sealed) == (NUMBER, False)


def test_the_recipient_of_the_envelope_says_more_than_headers(sealed):
    raw = mails.postfix("shop@mail.example", ANN, f"n-{uuid.uuid4()}")
    bounce = read_bounce(raw, recipient=sealed)
    assert (bounce.notification_id, bounce.is_sealed) == (NUMBER, True)


@pytest.mark.parametrize("written", [mails.yahoo_complaint, mails.aol_complaint])
def test_a_complaint_is_proved_by_the_return_address_it_quotes(sealed, written):
    bounce = read_bounce(written(sealed, ANN, MESSAGE_ID))
    assert (bounce.notification_id, bounce.is_sealed) == (NUMBER, True)
    assert [each.type for each in bounce.reports] == [EventType.COMPLAINED]


@pytest.mark.parametrize("kind", ["not-spam", "opt-out", "opt-out-list", "virus", "other", "auth-failure", ""])
def test_other_feedback_is_no_complaint(sealed, kind):
    assert read_bounce(mails.yahoo_complaint(sealed, ANN, MESSAGE_ID, kind=kind)).why is Why.OTHER_FEEDBACK


@pytest.mark.parametrize(("written", "why"), [(mails.out_of_office, Why.AUTO_REPLY), (mails.a_human, Why.NO_BOUNCE)])
def test_people_and_their_machines_are_no_bounce(sealed, written, why):
    assert read_bounce(written(sealed, ANN, MESSAGE_ID), recipient=sealed) == NoBounce(why)


def test_a_report_about_somebody_elses_mail_is_not_ours(sealed):
    assert read_bounce(mails.postfix("shop@mail.example", ANN, "20261122.77")).why is Why.NOT_OURS


def test_every_recipient_of_a_report_is_told(sealed):
    bounce = read_bounce(mails.many_recipients(sealed, ANN, MESSAGE_ID))
    assert [each.type for each in bounce.reports] == [EventType.DELIVERED, EventType.BOUNCED, EventType.DEFERRED]


@pytest.mark.parametrize(
    ("status", "said", "reason", "is_about_mailbox"),
    [
        ("5.1.1", "550 5.1.1 User unknown", "mailbox_unknown", True),
        ("5.0.0", "550 Requested action not taken: mailbox unavailable", "mailbox_unknown", True),
        ("5.0.0", "550 user over quota", "mailbox_full", True),
        ("5.0.0", "550 something quite different", "bounced", True),
        ("4.2.2", "452 4.2.2 The email account is over quota", "mailbox_full", True),
        ("4.4.7", "Delivery time expired", "bounced", True),
        ("4.4.1", "", "bounced", True),
        ("5.7.1", "554 5.7.1 Message content rejected", "rejected_content", False),
        ("5.7.509", "550 5.7.509 Access denied, DMARC", "rejected_content", False),
        ("5.0.0", "554 blocked, see our block list", "rejected_content", False),
        ("5.3.4", "552 5.3.4 Message too big", "bounced", False),
        ("5.1.8", "553 5.1.8 Sender address rejected: Domain not found", "bounced", False),
        ("5.7.26", "550 5.7.26 This mail is unauthenticated", "bounced", False),
        ("", "550 5.1.1 who knows", "mailbox_unknown", True),
        ("nonsense", "", "bounced", True),
    ],
)
def test_a_status_means_what_the_same_reply_means(sealed, status, said, reason, is_about_mailbox):
    raw = mails.postfix(sealed, ANN, MESSAGE_ID, status=status, said=said or "unknown")
    (report,) = read_bounce(raw).reports
    assert (report.type, report.reason, report.is_about_mailbox) == (EventType.BOUNCED, reason, is_about_mailbox)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_is_a_delivery(sealed, action):
    (report,) = read_bounce(mails.postfix(sealed, ANN, MESSAGE_ID, action=action, status="2.0.0")).reports
    assert report.type is EventType.DELIVERED


def test_an_unknown_action_is_no_report(sealed):
    assert read_bounce(mails.postfix(sealed, ANN, MESSAGE_ID, action="pondered")).why is not None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", Why.UNREADABLE),
        (b"\x00" * 1000, Why.UNREADABLE),
        (b"just words", Why.UNREADABLE),
    ],
)
def test_rubbish_is_called_so(raw, why):
    assert read_bounce(raw).why is why


def test_a_report_that_brings_back_a_very_large_mail_is_read(sealed):
    raw = mails.postfix(sealed, ANN, MESSAGE_ID)
    end = raw.rindex(b"--4XyZ")
    bounce = read_bounce(raw[:end] + b"x" * 76 * 20_000 + b"\n" * LARGEST_MAIL + raw[end:])
    assert [each.reason for each in bounce.reports] == ["mailbox_unknown"]


ALL = [value for value in vars(mails).values() if callable(value) and value.__module__ == mails.__name__]
SAMPLES = [
    each("b+x@bounces.example.com", ANN, MESSAGE_ID)
    for each in ALL
    if each.__name__ not in ("original", "report", "block", "_feedback")
]


@given(st.sampled_from(SAMPLES), st.integers(min_value=0), st.binary(max_size=30), st.integers(0, 60))
@hypothesis_settings(max_examples=300)
def test_a_mutilated_mail_never_fails(raw, at, junk, cut):
    at %= len(raw)
    assert isinstance(read_bounce(raw[:at] + junk + raw[at + cut :]), Bounce | NoBounce)


@given(st.binary(max_size=3000))
def test_random_bytes_never_fail(raw):
    assert isinstance(read_bounce(raw), Bounce | NoBounce)


def test_lines_in_any_order_never_fail():
    lines = [line for raw in SAMPLES for line in raw.split(b"\n")]
    dice = random.Random(42)  # noqa: S311  no secret
    for _ in range(100):
        assert isinstance(read_bounce(b"\n".join(dice.sample(lines, 150))), Bounce | NoBounce)


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a\nSubject: b\n\nfailed addresses follow:\n" + b"a" * 2_000_000,
        b"From: a\n\nfailed addresses follow:\n" + (b"@" * 900 + b"\n") * 2000,
        b"From: a\n\n" + b"\n" * 2_000_000,
        b"To: " + b"+" + b"a" * 1_900_000,
        b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\nContent-Type: message/delivery-status\n\n" * 40_000,
        b"Content-Type: message/delivery-status\n\nAction: failed\nDiagnostic-Code: smtp; " + b"user " * 300_000,
        b"Content-Type: text/plain; " + b'";' * 500_000,
        b"From: " + b"<,(" * 600_000,
    ],
)
def test_hostile_mails_of_the_largest_size_are_read(raw):
    assert isinstance(read_bounce(raw), Bounce | NoBounce)
