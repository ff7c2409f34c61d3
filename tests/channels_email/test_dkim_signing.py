"""Signatures as a receiver checks them: dkimpy verifies what we signed, with the record we would put into DNS."""

import email
import hashlib
import uuid
from base64 import b64decode
from email import policy

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from dkim.canonicalization import CanonicalizationPolicy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels_email import dkim_keys
from channels_email.dkim_signing import Signer, signed
from channels_email.message import EmailMessage, Mail, make_mail
from channels_email.providers.smtp import SmtpProvider
from channels_email.standins.smtp_server import SmtpServer
from gateway.channel_contract import Outcome
from templates_app.rendering import RenderedEmail

RSA = dkim_keys.new_private_key()
BODIES = st.lists(
    st.sampled_from([".", "..", "", " ", "\t", "a  b", "end \t", "x" * 1200, "Grüße ", "--=_0", "From me", "=20", "\n"])
).map("\n".join)


@pytest.fixture
def signing(settings):
    settings.DKIM_PRIVATE_KEY, settings.DKIM_SELECTOR, settings.DKIM_DOMAIN = RSA, "mail", "mail.example"
    return settings


def a_message(**words: str) -> EmailMessage:
    number = uuid.uuid4()
    return EmailMessage(
        notification_id=number,
        message_id=f"n-{number}",
        to="Jürgen Groß <ann@example.com>",
        sender="Shop <shop@mail.example>",
        locale="en",
        words=RenderedEmail(**({"subject": "Hello", "preheader": "", "html": "<p>Hi</p>", "text": "Hi"} | words)),
        unsubscribe_url="https://notify.example/unsubscribe/abc/",
        list_id="Updates <updates.mail.example>",
        feedback_id="welcome:updates:en:mail.example",
        reply_to="service@mail.example",
    )


def verifies(content: bytes, *, pem: str = RSA) -> bool:
    asked = []

    def dns(name: bytes, timeout: float = 5) -> bytes:
        asked.append(name)
        return dkim_keys.public_record(pem).encode()

    is_good = dkim.verify(content, dnsfunc=dns)
    assert asked == [b"mail._domainkey.mail.example."]
    return is_good


def test_a_receiver_can_check_our_signature(signing):
    assert verifies(signed(make_mail(a_message())).content)


def test_only_the_key_in_dns_counts(signing):
    assert not verifies(signed(make_mail(a_message())).content, pem=dkim_keys.new_private_key())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Subject: Hello", b"Subject: Hello!"),
        (b"<shop@mail.example>", b"<evil@mail.example>"),
        (b"abc/>", b"abd/>"),
        (b"welcome:updates", b"welcome:other"),
        (b"<updates.", b"<offers."),
        (b"<p>Hi</p>", b"<p>Ho</p>"),
        (b"From: ", b"From: Eve <eve@evil.example>\r\nFrom: "),
        (b"\r\nSubject: ", b"\r\nSubject: Other\r\nSubject: "),
    ],
)
def test_what_is_changed_on_the_way_shows(signing, before, after):
    content = signed(make_mail(a_message())).content
    assert before in content
    assert not verifies(content.replace(before, after, 1))


def test_the_mail_behind_the_signature_is_what_it_was(signing):
    mail = make_mail(a_message())
    after = signed(mail)
    assert after.content.endswith(mail.content)
    assert (after.sender, after.recipient, after.needs_utf8) == (mail.sender, mail.recipient, mail.needs_utf8)
    head = after.content.removesuffix(mail.content)
    assert head.startswith(b"DKIM-Signature: ")
    assert max(map(len, head.split(b"\r\n"))) <= 100
    assert email.message_from_bytes(after.content, policy=policy.default).defects == []


@pytest.mark.parametrize("missing", ["DKIM_PRIVATE_KEY", "DKIM_SELECTOR", "DKIM_DOMAIN"])
def test_without_key_selector_and_domain_nothing_is_signed(signing, missing):
    setattr(signing, missing, "")
    mail = make_mail(a_message())
    assert signed(mail) is mail


@given(body=BODIES)
@example(body="")
@example(body="\n")
@example(body="a \n\n\n")
@settings(max_examples=150, deadline=None, derandomize=True)
def test_every_body_is_signed_as_receivers_read_it(body):
    """Also one that could not come of us."""
    content = b"From: Shop <shop@mail.example>\r\nSubject: x\r\n\r\n" + body.replace("\n", "\r\n").encode()
    signer = Signer(dkim_keys.private_key(RSA), "mail", "mail.example")
    assert verifies(signer.header(content) + content)


@pytest.mark.parametrize(
    "text", [".\n..\n.hidden\nend", "x" * 5000, "Grüße  an\talle \n" * 200, "word " * 3000, "", "\n\n\n"]
)
def test_a_signature_survives_the_way_through_a_mail_server(signing, text):
    """Dots at the beginning of lines, long lines, spaces at their end."""
    with SmtpServer() as server:
        signing.EMAIL_URL = f"smtp://127.0.0.1:{server.port}/?timeout=5"
        provider = SmtpProvider()
        provider.connect()
        (result,) = provider.send([a_message(text=text, html="<p>.</p>\n.\n" + "y" * 2000)])
        provider.close()
        (received,) = server.messages
    assert result.outcome is Outcome.ACCEPTED
    assert verifies(received.content)


def test_an_ed25519_key_signs_the_hash_of_what_rsa_signs():
    """RFC 8463, section 3. dkimpy needs another library for it; it says here what is hashed."""
    pem = dkim_keys.new_private_key(is_ed25519=True)
    content = make_mail(a_message()).content
    header = Signer(dkim_keys.private_key(pem), "mail", "mail.example").header(content)
    assert b"a=ed25519-sha256" in header
    headers, _ = dkim.rfc822_parse(header + content)
    value = dict(map(tuple, headers))[b"DKIM-Signature"]
    fields = dkim.parse_tag_value(value)
    relaxed = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    hashed = hashlib.sha256()
    names = [name.strip() for name in fields[b"h"].replace(b"\r\n", b"").split(b":")]
    dkim.hash_headers(
        hashed, relaxed, relaxed.canonicalize_headers(headers[1:]), names, (b"DKIM-Signature", value), fields
    )
    signature = b64decode(b"".join(fields[b"b"].split()))
    public = dkim_keys.private_key(pem).public_key()
    public.verify(signature, hashed.digest())
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"something else")


def test_what_is_not_a_mail_of_ours_is_signed_all_the_same(signing):
    mail = Mail(sender="a@mail.example", recipient="b@example.com", content=b"From: a@mail.example\r\n\r\n")
    assert verifies(signed(mail).content)
