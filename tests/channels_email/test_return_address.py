"""The address a mail comes back to: it names the notification, and nobody else can make it."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_email.return_address import BounceDomain, find_sealed, read_bounce_domain, return_address


@pytest.fixture
def domain(settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")


def test_without_the_setting_there_is_none(settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain("")
    assert return_address(uuid.uuid4()) == ""


def test_it_names_the_notification_however_servers_write_it(domain):
    number = uuid.uuid4()
    address = return_address(number)
    local_part, _, at = address.partition("@")
    assert at == "bounces.example.com"
    assert len(local_part) <= 64
    assert local_part.startswith("b+")
    for written in (address, address.upper(), f"<{address}>", f"SRS0=ab=xy=bounces.example.com={local_part}@relay.net"):
        assert find_sealed(written) == number


def test_what_was_not_made_here_names_nothing(domain, settings):
    address = return_address(uuid.uuid4())
    for at in (2, 20, 40):
        other = "a" if address[at] != "a" else "b"
        assert find_sealed(address[:at] + other + address[at + 1 :]) is None
    settings.SECRET_KEY = "another key"
    assert find_sealed(address) is None


def test_the_one_of_ours_is_found_among_others(domain):
    number = uuid.uuid4()
    assert find_sealed(f"x+{'a' * 42}@example.net, {return_address(number)}") == number


def test_it_does_not_look_for_ever(domain):
    number = uuid.uuid4()
    assert find_sealed(f"x+{'a' * 42}@example.net, " * 20 + return_address(number)) is None


@given(st.text(max_size=200))
def test_whatever_the_text_nothing_goes_wrong(text):
    assert find_sealed(text) is None
    assert find_sealed(f"+{text}@") is None


@pytest.mark.parametrize(
    ("text", "local_part", "domain"),
    [
        ("bounces.example.com", "b", "bounces.example.com"),
        ("Bounces@Shop.Example", "Bounces", "shop.example"),
        ("zurück.bücher.example", "b", "xn--zurck-mva.xn--bcher-kva.example"),
        ("post@bücher.example", "post", "xn--bcher-kva.example"),
    ],
)
def test_a_domain_or_a_mailbox_is_read(text, local_part, domain, settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain(text)
    assert BounceDomain(local_part, domain) == settings.BOUNCE_DOMAIN
    number = uuid.uuid4()
    assert find_sealed(return_address(number)) == number


@pytest.mark.parametrize(
    "text",
    ["a b.example", "@example.com", "x" * 22 + "@example.com", "a+b@example.com", "exa>mple.com", ".", "a" * 300],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="is needed"):
        read_bounce_domain(text)
