"""Addresses of services as settings give them."""

import pytest

from gateway.service_address import read_service_url


def test_an_address_is_kept_without_the_slash_at_its_end():
    assert read_service_url("http://127.0.0.1:4240/") == "http://127.0.0.1:4240"
    assert read_service_url("https://api.example.com/v3") == "https://api.example.com/v3"


@pytest.mark.parametrize(
    "text",
    [
        *("push.example.com", "ftp://push.example.com", "https://", "https://a.example/?b=c"),
        *("https://a:b@c.example", "https://:b@c.example", "https://a.example:port", "https://a.example:99999"),
        *("https://a.example:0", "https://[::1", "https://a.example/\nHost: b.example"),
    ],
)
def test_what_is_no_address_of_a_service_is_refused(text):
    with pytest.raises(ValueError, match="https://"):
        read_service_url(text)
