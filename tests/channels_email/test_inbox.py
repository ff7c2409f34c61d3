"""A kept mail taken apart again."""

from base64 import b64encode

import pytest

from channels_email.enclosures import Enclosed
from channels_email.inbox import SOURCE_SHOWN, open_mail
from channels_email.mail_bytes import Mailbox, mail_bytes


def test_a_mail_with_both_parts_gives_both():
    source = (
        b"Subject: Hi\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
        b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p>\r\n--x--\r\n"
    )
    mail = open_mail(source)
    assert (mail.text.strip(), mail.html.strip()) == ("Hello", "<p>Hello</p>")
    assert ("Subject", "Hi") in mail.headers


def test_a_database_may_hand_over_a_view_of_the_bytes():
    assert open_mail(memoryview(b"Subject: Hi\r\n\r\nHello")).text == "Hello"


def test_an_unknown_character_set_is_no_error():
    source = b"Content-Type: text/plain; charset=klingon\r\n\r\nHello \xff"
    assert open_mail(source).text == "Hello \N{REPLACEMENT CHARACTER}"


def test_attachments_are_named():
    source = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
        b"--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=bill.pdf\r\n\r\n%PDF\r\n"
        b"--x--\r\n"
    )
    (file,) = open_mail(source).files
    assert (file.filename, file.content_type, file.content, file.size) == ("bill.pdf", "application/pdf", b"%PDF", 4)


LOGO = b"\x89PNG\r\n\x1a\n"


def a_mail_with_a_logo(html: str) -> bytes:
    logo = Enclosed("logo.png", "image/png", "logo", LOGO)
    page = Enclosed("page.html", "text/html", "page", b"<script>alert(1)</script>")
    return mail_bytes(
        headers=[],
        sender=Mailbox("", "shop@mail.example"),
        to=Mailbox("", "ann@example.com"),
        subject="Hi",
        text="Hi",
        html=html,
        mark="mark",
        files=[logo, page],
    )


@pytest.mark.parametrize(
    "html", ['<img src="cid:logo">', "<img src='CID:logo'>", "<td style='background:url(cid:logo)'>"]
)
def test_images_inside_a_mail_are_shown(html):
    mail = open_mail(a_mail_with_a_logo(html))
    assert mail.html.strip() == html
    assert f"data:image/png;base64,{b64encode(LOGO).decode()}" in mail.html_with_images


@pytest.mark.parametrize("html", ['<img src="cid:other">', '<img src="cid:page">', "<p>cid:logo</p>"])
def test_nothing_else_is_put_into_the_page(html):
    assert open_mail(a_mail_with_a_logo(html)).html_with_images.strip() == html


def test_what_was_attached_stands_before_images():
    mail = open_mail(a_mail_with_a_logo("<p>Hi</p>").replace(b"Content-ID: <page>\r\n", b""))
    assert [(each.filename, each.number) for each in mail.files] == [("page.html", 1), ("logo.png", 0)]


def test_of_a_long_source_the_beginning_is_shown():
    mail = open_mail(b"Subject: Hi\r\n\r\n" + b"x" * SOURCE_SHOWN)
    assert len(mail.source) == SOURCE_SHOWN
    assert mail.is_source_cut
    assert not open_mail(b"Subject: Hi\r\n\r\nHello").is_source_cut


def test_an_address_in_utf_8_is_shown_as_it_is():
    mail = open_mail("To: jürgen@example.com\r\nSubject: Hi\r\n\r\nHello".encode())
    assert ("To", "jürgen@example.com") in mail.headers
