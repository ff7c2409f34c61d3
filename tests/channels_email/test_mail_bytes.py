"""The bytes of a mail, held against the parser of the standard library: whatever goes in comes out again."""

import email
import re
from email import policy
from email.header import decode_header, make_header
from email.headerregistry import Address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels_email.mail_bytes import LONGEST_LINE, Mailbox, NotAMail, mail_bytes, read_mailbox

#: What no part of a mail can hold.
LETTERS = st.characters(exclude_categories=("Cs",))
#: As they reach us: `templates_app.rendering` and `channels_email.channel` take the other controls out of headers.
ON_ONE_LINE = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
HEADER_WORDS = st.text(ON_ONE_LINE, min_size=1, max_size=255).map(str.strip).filter(bool)
NAMES = st.one_of(
    st.just(""), HEADER_WORDS, st.from_regex(r"[\w .,'\"\\()<>@=?_-]{1,60}", fullmatch=True).map(str.strip)
)
BODIES = st.one_of(
    st.text(LETTERS, min_size=1, max_size=3000),
    st.text("abc =.\t\n-_", min_size=1, max_size=3000),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1).map(lambda text: text * 50),
    st.lists(st.sampled_from([".", "..", "From me", "--=_mark", "--=_mark--", "", "x" * 1200, "Grüße ", "=3D", "=\n"]))
    .map("\n".join)
    .filter(bool),
)
#: The local parts that Django's validator takes, which the API and the admin use.
LOCALS = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{}|~-]{1,30}(\.[a-z0-9!#$%&'*+/=?^_`{}|~-]{1,30})?", fullmatch=True)
QUOTED_LOCALS = st.from_regex(r'"[a-z .,;:<>()@]{1,20}"', fullmatch=True)
DOMAINS = st.sampled_from(
    ["example.com", "mail.example", "bücher.example", "例え.test", "x" * 60 + "." + "y" * 60 + ".test"]
)
THOROUGHLY = settings(max_examples=200, deadline=None, derandomize=True)
SENDER = Mailbox("Shop", "shop@mail.example")


def made(*, subject="Hello", name="Ann Lee", address="ann@example.com", text="Hi", html="<p>Hi</p>", sender=SENDER):
    return mail_bytes(
        headers=[("Message-ID", "<n-1@mail.example>"), ("X-Notification-ID", "0190aaaa")],
        sender=sender,
        to=Mailbox(name, address),
        subject=subject,
        text=text,
        html=html,
        mark="mark",
    )


def read(source: bytes) -> email.message.EmailMessage:
    mail = email.message_from_bytes(source, policy=policy.SMTP)
    assert [each.defects for each in mail.walk()] == [[]] * len(list(mail.walk()))
    return mail


def with_plain_breaks(text: str) -> str:
    return re.sub("\r\n?", "\n", text)


def content(mail, kind: str) -> str:
    return with_plain_breaks(mail.get_body((kind,)).get_content())


def name_of(source: bytes, header: str, address: str) -> str:
    """A name in several encoded words; the parser of addresses puts spaces between them (RFC 2047, 6.2: none)."""
    written = email.message_from_bytes(source)[header].removesuffix(f"<{address}>")
    written = written.replace("\r\n", "").replace("\n", "").strip()
    return str(make_header(decode_header(written))) if written.count("=?") > 1 else ""


def is_fit_for_the_wire(source: bytes) -> None:
    assert source.isascii()
    assert source.count(b"\r\n") == source.count(b"\n") == source.count(b"\r")
    assert max(map(len, source.split(b"\r\n"))) <= LONGEST_LINE
    assert source.endswith(b"\r\n")
    assert b"\0" not in source


@THOROUGHLY
@given(HEADER_WORDS)
@example("=?utf-8?q?Not_encoded?=")
@example("a  b")
@example("Grüße aus Köln " * 15)
@example("x" * 255)
@example("a" * 40 + " " + "b" * 30 + " " + "ü")
@example("Ω" * 255)
@example("🎉" * 255)
@example("\xa0a\u3000b\xad")
def test_every_subject_arrives_as_it_is(subject):
    source = made(subject=subject)
    is_fit_for_the_wire(source)
    mail = read(source)
    assert mail["Subject"] == subject
    assert len(mail.keys()) == len(set(mail.keys())) == 8


@THOROUGHLY
@given(NAMES, LOCALS | QUOTED_LOCALS, DOMAINS)
@example("", "ann", "example.com")
@example("Lee, Ann", "ann", "example.com")
@example('Ann "The Boss" \\ Lee', "ann", "example.com")
@example("=?utf-8?q?x?=", "ann", "example.com")
@example("Ann <evil@example.net>", "ann", "example.com")
@example("Jürgen Groß", "ann", "example.com")
@example("N" * 200, "ann", "example.com")
@example("n " * 100 + "n", "a" * 60, "x" * 60 + "." + "y" * 60 + ".test")
def test_every_name_and_address_arrives_as_it_is(name, local, domain):
    mailbox = read_mailbox(f"{local}@{domain}")
    source = made(name=name, address=mailbox.address, sender=Mailbox(name, "shop@mail.example"))
    is_fit_for_the_wire(source)
    mail = read(source)
    for header, address in (("To", mailbox.address), ("From", "shop@mail.example")):
        (found,) = mail[header].addresses
        assert (name_of(source, header, address) or found.display_name, found.addr_spec) == (
            name,
            Address(addr_spec=address).addr_spec,
        )
    assert len(mail.keys()) == 8


@THOROUGHLY
@given(BODIES, BODIES)
@example("text", "--=_mark--\r\n")
@example("ends with a space ", "ends with a tab\t")
@example("\n\n", "\n")
@example("a\rb\r\nc\n", "\x0b\x0c\x1c\x85\u2028")
@example("x" * 999, "y" * 998)
@example("ü" * 10_000, "a" * 10_000 + "ü")
@example("nul \0 in the middle", ".\n..\n.")
def test_text_and_html_arrive_as_they_are(text, html):
    source = made(text=text, html=html)
    is_fit_for_the_wire(source)
    mail = read(source)
    assert mail.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in mail.iter_parts()] == ["text/plain", "text/html"]
    assert content(mail, "plain") == with_plain_breaks(text)
    assert content(mail, "html") == with_plain_breaks(html)


@THOROUGHLY
@given(BODIES)
def test_a_mail_of_one_part_is_no_multipart(words):
    for given_parts, kind in (({"text": words, "html": ""}, "plain"), ({"text": "", "html": words}, "html")):
        source = made(**given_parts)
        is_fit_for_the_wire(source)
        mail = read(source)
        assert mail.get_content_type() == f"text/{kind}"
        assert with_plain_breaks(mail.get_content()).rstrip("\n") == with_plain_breaks(words).rstrip("\n")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Plain words.", "7bit"),
        ("Grüße, und noch viele andere Wörter", "quoted-printable"),
        ("x" * 999, "quoted-printable"),
        ("こんにちは、世界", "base64"),
    ],
)
def test_a_part_is_encoded_as_its_words_need_it(text, encoding):
    part = read(made(text=text)).get_body(("plain",))
    assert part["Content-Transfer-Encoding"] == encoding


def test_header_lines_are_short_where_words_allow_it():
    source = made(subject="Your order has left our house " * 8, name="Jürgen Groß " * 15, text="t", html="h")
    head = source.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


def test_the_date_is_of_now_and_says_its_zone():
    assert read(made())["Date"].datetime.utcoffset().total_seconds() == 0


@pytest.mark.parametrize("value", ["two\r\nlines", "n\x00ul", "Grüße", " space", "x" * 990])
def test_a_header_of_ours_takes_plain_words_only(value):
    with pytest.raises(NotAMail):
        mail_bytes(headers=[("X", value)], sender=SENDER, to=SENDER, subject="s", text="t", html="h", mark="m")


@pytest.mark.parametrize("field", ["subject", "text", "html", "name"])
def test_half_a_letter_makes_no_mail(field):
    with pytest.raises(NotAMail):
        made(**{field: "x\ud800"})


# --- addresses --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("ann@example.com", "", "ann@example.com"),
        ("<ann@example.com>", "", "ann@example.com"),
        ("Ann Lee <ann@example.com>", "Ann Lee", "ann@example.com"),
        ('"Lee, Ann" <ann@example.com>', "Lee, Ann", "ann@example.com"),
        ("Jürgen <j@bücher.example>", "Jürgen", "j@xn--bcher-kva.example"),
        ('"a b"@example.com', "", '"a b"@example.com'),
        ("jürgen@example.com", "", "jürgen@example.com"),
    ],
)
def test_a_mailbox_is_read(written, name, address):
    assert read_mailbox(written) == (name, address)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "a b@example.com",
        "ann@example.com>\r\nRCPT TO:<eve@example.com",
        "Ann\r\nBcc: all@example.com <ann@example.com>",
        "ann@exa mple.com",
        "ann@example.com SIZE=1",
        "a@" + "ü" * 300 + ".example",
    ],
)
def test_what_is_no_address_makes_no_mail(written):
    with pytest.raises(NotAMail):
        read_mailbox(written)


def test_an_address_beyond_ascii_stands_as_it_is_in_its_header():
    source = made(name="", address="jürgen@example.com")
    assert "\r\nTo: jürgen@example.com\r\n".encode() in source
