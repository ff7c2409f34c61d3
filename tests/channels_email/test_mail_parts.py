"""Mails taken apart: as their writers meant them, and however hostile they are."""

import email
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_email.mail_parts import DEEPEST, LONGEST_HEADER, MOST_HEADERS, MOST_PARTS, read_mail


def test_parts_headers_and_texts_are_what_the_writer_put_in():
    made = EmailMessage()
    made["Subject"] = "Hello"
    made["X-Long"] = "one " * 60
    made.set_content("Grüße, Ann", charset="latin-1", cte="quoted-printable")
    made.add_alternative("<p>Grüße</p>", subtype="html", cte="base64")
    mail = read_mail(made.as_bytes())
    assert mail.header("subject") == "Hello"
    assert mail.header("x-long").split() == ["one"] * 60
    assert [each.content_type for each in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert mail.first("text/plain").text(100).strip() == "Grüße, Ann"
    assert mail.first("text/html").text(100).strip() == "<p>Grüße</p>"


def test_a_mail_within_a_mail_is_read_too():
    inner = EmailMessage()
    inner["Message-ID"] = "<1@example.com>"
    inner.set_content("Hi")
    outer = EmailMessage()
    outer.set_content("See below")
    outer.add_attachment(inner)
    embedded = read_mail(outer.as_bytes()).first("message/rfc822")
    assert embedded.parts[0].header("message-id") == "<1@example.com>"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_do_not_matter(end):
    raw = b"Subject: a\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x\n\ntwo\n--x--\nbehind\n"
    mail = read_mail(raw.replace(b"\n", end))
    assert [each.text(10) for each in mail.parts] == ["one", "two"]


def test_a_boundary_that_another_begins_with_is_not_taken_for_it():
    outer, inner = (b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n" % (each, each) for each in (b"x", b"xy"))
    raw = outer + inner + b"\nin\n--xy--\n--x--\n"
    assert [each.text(10) for each in read_mail(raw).walk() if not each.parts] == ["in"]


def nested(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(depth)) + b"\nin"


def test_what_is_too_deep_too_much_or_too_long_is_left_out():
    assert len(list(read_mail(nested(5000)).walk())) == DEEPEST + 1
    many = b"Content-Type: multipart/mixed; boundary=x\n" + b"\n--x\n\na" * 5000
    assert len(list(read_mail(many).walk())) <= MOST_PARTS
    long = read_mail(b"A: " + b"x" * 50_000 + b"\n" + b"B: y\n" * 5000 + b"\nHi")
    assert len(long.header("a")) < LONGEST_HEADER
    assert len(long.headers) <= MOST_HEADERS
    forwarded = b"Content-Type: message/rfc822\n\n" * 3000
    assert len(list(read_mail(forwarded).walk())) == DEEPEST + 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n\n",
        b"no headers at all",
        b"Content-Type: multipart/mixed\n\n--\n--\n",
        b"Content-Type: multipart/mixed; boundary*=utf-8''%FF%00\n\nx",
        b"Content-Type: multipart/mixed; boundary*0=a; boundary*1*=b\n\n--ab\n\nx",
        b"Content-Type: text/plain; charset=nothing-known\n\n\xff\x00x",
        b"Content-Type: text/plain; charset=idna\n\n\xff..\x00x",
        b"Content-Transfer-Encoding: base64\n\n!!!",
        b"Content-Type: ;;;;\n\nx",
        b": x\n :y\n\nz",
        b"From \nSubject: a\n\nb",
    ],
)
def test_malformed_mails_are_read_as_far_as_they_go(raw):
    for each in read_mail(raw).walk():
        each.text(100)


@given(st.binary(max_size=2000))
def test_any_bytes_are_survived(raw):
    for each in read_mail(raw).walk():
        each.text(100)
    read_mail(b"Content-Type: multipart/mixed; boundary=x\n\n--x\n" + raw)


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=60))
def test_a_header_is_what_the_standard_library_reads(value):
    raw = b"Subject: " + value.encode() + b"\n\nHi"
    expected = email.message_from_bytes(raw)["Subject"]
    assert "".join(read_mail(raw).header("subject").split()) == "".join(
        "".join(each if each.isprintable() else " " for each in expected).split()
    )
