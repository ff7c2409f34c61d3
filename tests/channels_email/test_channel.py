"""From recipient and words to the one message of an e-mail notification."""

import uuid
from dataclasses import replace
from email import message_from_bytes, policy
from email.headerregistry import Address

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from channels_email import channel as channel_module
from channels_email.channel import EmailChannel
from channels_email.message import make_mail
from channels_email.providers.capture import CaptureProvider
from gateway.channel_contract import Order, Refusal, UnknownProvider
from templates_app.rendering import NOT_ON_ONE_LINE, RenderedEmail
from users.recipients import CategoryRules, Recipient
from users.unsubscribe import read_token

WORDS = RenderedEmail(subject="Hello", preheader="", html="<p>Hi</p>", text="Hi")
UPDATES = CategoryRules(
    code="updates", name="Updates", is_mandatory=False, is_marketing=False, ignores_quiet_hours=False
)


def an_order(*, name: str = "Ann Lee", address: str = "ann@example.com") -> Order:
    recipient = Recipient(
        id=uuid.uuid4(),
        public_id="user-ann",
        name=name,
        email=address,
        locale="en",
        timezone="Europe/Vienna",
        is_active=True,
    )
    return Order(
        notification_id=uuid.uuid4(),
        message_id="n-1",
        correlation_id="c-1",
        recipient=recipient,
        words=WORDS,
        locale="de",
        category=UPDATES,
        template_code="welcome",
    )


def addressed_to(order: Order):
    """The recipient as a mail program reads it from the mail."""
    (message,) = EmailChannel().build(order)
    mail = message_from_bytes(make_mail(message).content, policy=policy.default)
    (address,) = mail["To"].addresses
    return address


@given(
    st.text("aÄ .,\"'<>@()[]:;\\\t=?_-", max_size=12),
    st.sampled_from(["ann", "a.b+c", "a..b", ".a", 'a"b', "ä", "a b"]),
)
def test_plain_names_are_written_as_the_library_writes_them(name, local):
    recipient = an_order(name=name, address=f"{local}@mail.example").recipient
    on_one_line = NOT_ON_ONE_LINE.sub(" ", name).strip()
    expected = str(Address(display_name=on_one_line, username=local, domain="mail.example"))
    assert channel_module._mailbox(recipient) == expected


def test_a_notification_becomes_one_message(settings):
    settings.DEFAULT_FROM_EMAIL = "Shop <shop@mail.example>"
    order = an_order()
    (message,) = EmailChannel().build(order)
    assert message.notification_id == order.notification_id
    assert message.message_id == "n-1"
    assert message.correlation_id == "c-1"
    assert message.device_id is None
    assert message.to == "Ann Lee <ann@example.com>"
    assert message.sender == "Shop <shop@mail.example>"
    assert message.locale == "de"
    assert message.words is WORDS


def test_the_mail_says_what_it_is_about_and_where_answers_go(settings):
    settings.DEFAULT_FROM_EMAIL = "Shop <shop@mail.example>"
    settings.DEFAULT_REPLY_TO = "service@mail.example"
    (message,) = EmailChannel().build(an_order())
    assert message.list_id == "Updates <updates.mail.example>"
    assert message.feedback_id == "welcome:updates:de:mail.example"
    assert message.reply_to == "service@mail.example"


def test_a_mail_nobody_can_turn_off_is_of_no_list():
    (message,) = EmailChannel().build(replace(an_order(), category=replace(UPDATES, is_mandatory=True)))
    assert message.list_id == ""


def test_nobody_without_an_address_gets_a_message():
    assert EmailChannel().build(an_order(address="")) == Refusal(reason="no_address", data={"name": "Ann Lee"})


def test_a_person_without_a_name_is_addressed_by_the_address():
    (message,) = EmailChannel().build(an_order(name=""))
    assert message.to == "ann@example.com"


@pytest.mark.parametrize(
    "name",
    [
        "Jürgen Groß",
        "أحمد",
        "O'Brien",
        'Ann "The Boss" Lee',
        "Lee, Ann",
        "a@b",
        "Ann <a@evil.example>",
        "李小龍 李小龍",
    ],
)
def test_every_name_arrives_as_it_is_and_changes_no_address(name):
    address = addressed_to(an_order(name=name))
    assert address.display_name == name
    assert address.addr_spec == "ann@example.com"


def test_a_name_stays_readable_for_people_until_the_mail_is_made():
    (message,) = EmailChannel().build(an_order(name="Jürgen Groß"))
    assert message.to == "Jürgen Groß <ann@example.com>"


@pytest.mark.parametrize("name", ["Ann\r\nBcc: all@example.com", "Ann\nLee", "Ann\x00Lee", "\x07"])
def test_control_characters_in_a_name_do_no_harm(name):
    address = addressed_to(an_order(name=name))
    assert address.addr_spec == "ann@example.com"
    assert not set(address.display_name) & {"\r", "\n", "\x00", "\x07"}


def test_a_domain_with_umlauts_is_written_in_ascii():
    assert addressed_to(an_order(address="ann@bücher.example")).addr_spec == "ann@xn--bcher-kva.example"


def test_the_providers_are_those_of_the_settings_in_their_order(settings):
    settings.EMAIL_PROVIDERS = ["smtp", "capture"]
    assert EmailChannel().provider_names() == ["smtp", "capture"]


def test_each_load_gives_a_provider_of_its_own():
    first, second = EmailChannel().load_provider("capture"), EmailChannel().load_provider("capture")
    assert isinstance(first, CaptureProvider)
    assert first is not second


def test_an_unknown_provider_is_named_with_those_there_are():
    with pytest.raises(UnknownProvider, match=r"'pigeon' is no e-mail provider; there are .*capture"):
        EmailChannel().load_provider("pigeon")


@pytest.mark.parametrize("name", list(channel_module.PROVIDERS))
def test_every_provider_of_the_table_exists_and_knows_its_name(name):
    assert EmailChannel().load_provider(name).name == name


# --- unsubscribe ------------------------------------------------------------------------------------------------------


def test_a_marketing_mail_can_be_turned_off_by_one_click():
    order = an_order()
    marketing = replace(UPDATES, code="news", is_marketing=True)
    (message,) = EmailChannel().build(replace(order, category=marketing))

    mail = message_from_bytes(make_mail(message).content, policy=policy.default)

    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail["List-Unsubscribe"].strip("<>")
    assert address.startswith(f"{settings.PUBLIC_URL}/unsubscribe/")
    about = read_token(address.rstrip("/").rpartition("/")[2])
    assert (about.user_id, about.channel, about.category) == (order.recipient.id, "email", "news")


def test_other_mails_have_no_such_link():
    (message,) = EmailChannel().build(an_order())

    assert b"List-Unsubscribe" not in make_mail(message).content
