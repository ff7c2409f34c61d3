"""A kept mail taken apart again."""

from channels_email.inbox import open_mail


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
    assert open_mail(source).attachments == ("bill.pdf",)


def test_an_address_in_utf_8_is_shown_as_it_is():
    mail = open_mail("To: jürgen@example.com\r\nSubject: Hi\r\n\r\nHello".encode())
    assert ("To", "jürgen@example.com") in mail.headers
