"""The values in reports: addresses, moments, codes."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_email.delivery_reports import OLDEST, delivery_reports, failure, moment, typed_address
from channels_email.mail_parts import read_mail
from gateway.channel_contract import EventType


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("rfc822; ann@example.com", "ann@example.com"),
        ("rfc822;<ann@example.com>", "ann@example.com"),
        ("RFC822;ann+2Bnews@example.com", "ann+news@example.com"),
        (r"utf-8; j\x{FC}rgen@b\x{FC}cher.example", "jürgen@bücher.example"),
        ("utf-8;jürgen@bücher.example", "jürgen@bücher.example"),
        ("ann@example.com", "ann@example.com"),
        ("x400; /S=ann/@somewhere", ""),
        ("rfc822; ann", ""),
        ("rfc822; two words@example.com", ""),
        ("", ""),
    ],
)
def test_an_address_is_read_as_it_was_before_it_was_written_down(written, address):
    assert typed_address(written) == address


@given(st.text(max_size=100))
def test_no_address_fails(text):
    typed_address(text)
    typed_address(f"utf-8;{text}@x")


def test_moments_of_our_time_are_kept_in_utc():
    now = datetime.now(UTC).replace(microsecond=0)
    assert moment(format_datetime(now)) == now
    assert moment("Sun, 22 Nov 1998 15:00:00 +0000") is None
    assert moment(format_datetime(now - OLDEST - timedelta(days=1))) is None
    assert moment(format_datetime(now + timedelta(days=30))) is None


@pytest.mark.parametrize("text", ["", "tomorrow", "Mon, 99 Foo 2026 25:61:61 +9999", "Sun, 22 Nov 99999 1:1:1 +0000"])
def test_moments_that_are_none_are_left_out(text):
    assert moment(text) is None


@given(st.text(max_size=60))
def test_no_moment_fails(text):
    assert moment(text) is None or moment(text).tzinfo is not None


@given(st.text(max_size=30), st.text(max_size=200))
def test_whatever_a_server_says_it_came_back(status, said):
    report = failure(status=status, said=said)
    assert report.type is EventType.BOUNCED
    assert report.reason in ("mailbox_unknown", "mailbox_full", "rejected_content", "bounced")


def test_what_is_said_of_the_whole_mail_is_no_recipient():
    mail = read_mail(b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\nArrival-Date: x\n\n\n\n")
    assert delivery_reports(mail) == []


def test_of_more_recipients_than_anybody_reads_the_first_are_told():
    blocks = b"".join(
        b"Final-Recipient: rfc822; p%d@x.example\nAction: failed\nStatus: 5.1.1\n\n" % n for n in range(99)
    )
    mail = read_mail(b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n" + blocks)
    assert len(delivery_reports(mail)) == 20
