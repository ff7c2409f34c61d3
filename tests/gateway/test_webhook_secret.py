"""HTTP basic with the secret of providers' news."""

import base64

import pytest

from gateway.webhook_secret import is_proven


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "proves"),
    [
        (basic("us:s3cret"), True),
        (basic("us:s3cret").replace("Basic", "basic"), True),
        (basic("us:s3cret2"), False),
        (basic("us:"), False),
        (basic("us:s3cret").replace("Basic", "Bearer"), False),
        ("Basic us:s3cret", False),
        ("Basic é", False),
        ("Basic", False),
        ("", False),
    ],
)
def test_only_the_secret_proves_who_posts(settings, header, proves):
    settings.PROVIDER_WEBHOOK_SECRET = "us:s3cret"
    assert is_proven(header) is proves


@pytest.mark.parametrize("header", ["", "Basic ", basic(""), basic(":")])
def test_without_a_secret_nobody_proves_anything(settings, header):
    settings.PROVIDER_WEBHOOK_SECRET = ""
    assert not is_proven(header)
