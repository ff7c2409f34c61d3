"""What mailbox providers sort and count by."""

import re
from dataclasses import replace
from email import message_from_string, policy

import pytest

from channels_email.mail_bytes import NotAMail
from channels_email.mail_headers import SENDER_ID_LENGTH, feedback_id, list_id, reply_to
from users.recipients import CategoryRules

UPDATES = CategoryRules(
    code="updates", name="Updates", is_mandatory=False, is_marketing=False, ignores_quiet_hours=False
)
SHOP = "Shop <shop@mail.example>"


def test_people_sort_by_category_and_domain():
    assert list_id(UPDATES, sender=SHOP) == "Updates <updates.mail.example>"


def test_what_nobody_can_turn_off_is_no_list():
    assert list_id(replace(UPDATES, is_mandatory=True), sender=SHOP) == ""


@pytest.mark.parametrize("name", ["Angebote für Jürgen", "Offers, all of them", "お知らせ" * 25, "x " * 49 + "x", ""])
def test_a_category_of_any_name_fits_on_one_plain_line(name):
    value = list_id(replace(UPDATES, name=name), sender=SHOP)
    assert re.fullmatch(r"[!-~]+(?: [!-~]+)*", value)
    assert value.endswith("<updates.mail.example>")


def test_complaints_are_counted_by_template_category_locale_and_sender():
    found = feedback_id(template_code="welcome", category="account", locale="pt-BR", sender=SHOP)
    assert found == "welcome:account:pt-BR:mail.example"


def test_a_colon_begins_no_field_of_its_own():
    found = feedback_id(template_code="a:b", category="c d", locale="en", sender=SHOP)
    assert found == "a-b:c-d:en:mail.example"


@pytest.mark.parametrize("domain", ["a.io", "notifications.shop.example.com", "xn--bcher-kva.example"])
def test_the_senders_field_is_as_long_as_gmail_wants_it(domain):
    def last(sender: str) -> str:
        return feedback_id(template_code="t", category="c", locale="en", sender=sender).rpartition(":")[2]

    assert 5 <= len(last(f"shop@{domain}")) <= SENDER_ID_LENGTH
    assert last(f"shop@{domain}") == last(f"Other <other@{domain}>")
    assert last(f"shop@{domain}") != last(f"shop@{domain}.test")


@pytest.mark.parametrize(
    ("mailbox", "name", "address"),
    [
        ("service@shop.example", "", "service@shop.example"),
        ("Jürgen <service@bücher.example>", "Jürgen", "service@xn--bcher-kva.example"),
        ('"Shop, Service" <service@shop.example>', "Shop, Service", "service@shop.example"),
    ],
)
def test_answers_go_where_the_setting_says(mailbox, name, address):
    (found,) = message_from_string(f"Reply-To: {reply_to(mailbox)}\n\n", policy=policy.default)["Reply-To"].addresses
    assert (found.display_name, found.addr_spec) == (name, address)


def test_without_the_setting_there_is_no_other_place_for_answers():
    assert reply_to("") == ""


@pytest.mark.parametrize("mailbox", ["Shop", "jürgen@shop.example", "a@b.example\r\nBcc: x@y.example"])
def test_an_address_nobody_could_answer_to_is_refused(mailbox):
    with pytest.raises(NotAMail):
        reply_to(mailbox)
