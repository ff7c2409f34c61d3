"""Who is asked, in which order, and who shares the traffic."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from gateway import provider_order as page
from gateway.provider_order import Order, order_known, provider_order, read_order
from gateway.provider_set_up import _store


def test_without_weights_the_order_is_as_written():
    order = read_order(" smtp , sendgrid,mailgun,")
    assert order == Order(("smtp", "sendgrid", "mailgun"))
    assert order.ranked(uuid4()) == ("smtp", "sendgrid", "mailgun")
    assert str(order) == "smtp,sendgrid,mailgun"


def test_weights_share_the_traffic_and_the_rest_stands_by():
    order = read_order("sendgrid:70,mailgun:30,smtp")
    ids = [uuid7() for _ in range(4000)]
    found = Counter(order.ranked(each) for each in ids)
    assert set(found) == {("sendgrid", "mailgun", "smtp"), ("mailgun", "sendgrid", "smtp")}
    assert 0.65 < found["sendgrid", "mailgun", "smtp"] / len(ids) < 0.75
    assert str(order) == "sendgrid:70,mailgun:30,smtp"


def test_a_notification_has_the_same_turn_at_every_try():
    order, some = read_order("one:1,two:1,three:1"), UUID(int=7)
    assert len({order.ranked(some) for _ in range(10)}) == 1


def test_of_those_that_can_carry_it_the_weights_still_hold():
    order = read_order("fcm:50,webpush:30,capture:20")
    found = {order.ranked(uuid7(), ("fcm", "capture")) for _ in range(200)}
    assert found == {("fcm", "capture"), ("capture", "fcm")}
    assert order.ranked(uuid7(), ("webpush",)) == ("webpush",)
    assert order.ranked(uuid7(), ()) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("smtp,smtp", "'smtp' stands twice"),
        ("smtp:0", "'smtp:0' has no usable weight; a whole number from 1 to 1000"),
        ("smtp:1001", "no usable weight"),
        ("smtp:x", "no usable weight"),
        ("smtp:", "no usable weight"),
        ("smtp,sendgrid:3", "'sendgrid:3' has a weight and stands behind one without"),
    ],
)
def test_a_faulty_order_is_named_with_what_is_needed(text, words):
    with pytest.raises(ValueError, match=r"smtp|sendgrid") as wrong:
        read_order(text)
    assert words in str(wrong.value)


def test_an_installation_nobody_has_set_up_captures():
    assert provider_order("email").names == provider_order("push").names == ("capture",)
    assert page.everything_is_captured()


def test_what_is_stored_holds_where_the_environment_says_nothing(stored_settings_followed, settings):
    _store("EMAIL_PROVIDERS", "smtp:2,capture:1", "Olga")
    assert provider_order("email") == Order(("smtp", "capture"), (2, 1))
    assert order_known("email") == provider_order("email")
    settings.EMAIL_PROVIDERS = ["capture"]
    assert provider_order("email").names == ("capture",)


def test_providers_this_version_does_not_know_are_left_out_with_a_warning(stored_settings_followed):
    _store("EMAIL_PROVIDERS", "pigeon,smtp", "Olga")
    with capture_logs() as lines:
        assert provider_order("email").names == ("smtp",)
    assert [line["providers"] for line in lines if line["log_level"] == "warning"] == [["pigeon"]]


def test_with_nobody_known_left_messages_are_not_captured_instead(stored_settings_followed):
    _store("EMAIL_PROVIDERS", "pigeon", "Olga")
    assert provider_order("email").names == ("pigeon",)


def test_an_order_that_cannot_be_read_is_left_out(stored_settings_followed):
    _store("PUSH_PROVIDERS", "fcm,fcm", "Olga")
    assert provider_order("push").names == ("capture",)
