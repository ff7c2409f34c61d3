"""Files in a mail, held against the parser of the standard library."""

import email
import re
from email import policy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels_email.enclosures import Enclosed
from channels_email.mail_bytes import Mailbox, mail_bytes

PDF = Enclosed("invoice.pdf", "application/pdf", "", b"%PDF-1.7\n" + bytes(range(256)) * 20)
LOGO = Enclosed("logo.png", "image/png", "logo", b"\x89PNG\r\n\x1a\n\x00")
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=150).filter(
    lambda name: name == name.strip() and not re.search(r'[/\\"]', name)
)


def made(*files: Enclosed, text="Hi", html='<p>Hi <img src="cid:logo"></p>') -> bytes:
    return mail_bytes(
        headers=[("Message-ID", "<n-1@mail.example>")],
        sender=Mailbox("Shop", "shop@mail.example"),
        to=Mailbox("", "ann@example.com"),
        subject="Hello",
        text=text,
        html=html,
        mark="0190aaaa",
        files=files,
    )


def read(source: bytes) -> email.message.EmailMessage:
    mail = email.message_from_bytes(source, policy=policy.SMTP)
    assert [each.defects for each in mail.walk()] == [[]] * len(list(mail.walk()))
    assert source.isascii()
    assert source.count(b"\r\n") == source.count(b"\n") == source.count(b"\r")
    assert max(map(len, source.split(b"\r\n"))) <= 200
    return mail


def shape(part) -> object:
    """`mixed(related(alternative(…)))` as nested lists."""
    if not part.is_multipart():
        return part.get_content_type()
    return [part.get_content_type(), *map(shape, part.iter_parts())]


WORDS = ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], WORDS),
        ([PDF], ["multipart/mixed", WORDS, "application/pdf"]),
        ([LOGO], ["multipart/related", WORDS, "image/png"]),
        ([PDF, LOGO], ["multipart/mixed", ["multipart/related", WORDS, "image/png"], "application/pdf"]),
    ],
)
def test_images_belong_to_the_words_and_attachments_stand_beside_both(files, expected):
    assert shape(read(made(*files))) == expected


def test_an_image_has_no_place_in_a_mail_without_html():
    assert shape(read(made(LOGO, html=""))) == ["multipart/mixed", "text/plain", "image/png"]


def test_words_and_files_come_out_as_they_went_in():
    mail = read(made(PDF, LOGO, text="Grüße", html="<p>Grüße</p>"))
    assert mail.get_body(("plain",)).get_content().strip() == "Grüße"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Grüße</p>"
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == PDF.content
    assert attached.get_content_disposition() == "attachment"
    assert attached.get_filename() == "invoice.pdf"


def test_an_image_is_found_by_its_content_id():
    mail = read(made(LOGO))
    _, image = mail.iter_parts()
    assert image["Content-ID"] == "<logo>"
    assert image.get_content_disposition() == "inline"
    assert image.get_content() == LOGO.content
    assert mail.get_param("type") == "multipart/alternative"


@given(name=NAMES)
@example(name="Rechnung für Jürgen.pdf")
@example(name="請求書" * 50)
@example(name="a" * 150)
@example(name="100% ; name=x' *.pdf")
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_name_comes_out_as_it_went_in(name):
    (attached,) = read(made(PDF._replace(filename=name))).iter_attachments()
    assert attached.get_filename() == name


@given(content=st.binary(min_size=1, max_size=500))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_any_bytes_come_out_as_they_went_in(content):
    (attached,) = read(made(PDF._replace(content=content))).iter_attachments()
    assert attached.get_content() == content


@pytest.mark.parametrize(
    ("content", "charset"), [("Name;Müller\n".encode(), "utf-8"), ("Müller".encode("latin-1"), None)]
)
def test_text_says_that_it_is_utf_8_where_it_is(content, charset):
    (attached,) = read(made(Enclosed("people.csv", "text/csv", "", content))).iter_attachments()
    assert attached.get_content_charset() == charset
    assert attached.get_payload(decode=True) == content
