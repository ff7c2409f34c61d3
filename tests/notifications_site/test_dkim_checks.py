"""Signing of mails that is set by half, or for nobody."""

import pytest
from django.core.checks import run_checks

from channels_email import dkim_keys
from notifications_site.checks import TAG

PEM = dkim_keys.new_private_key()


def found():
    return {message.id: message for message in run_checks(tags=[TAG])}


@pytest.fixture
def signing(settings):
    settings.DEFAULT_FROM_EMAIL = "Shop <shop@mail.example>"
    settings.DKIM_PRIVATE_KEY, settings.DKIM_SELECTOR, settings.DKIM_DOMAIN = PEM, "mail", "mail.example"
    return settings


def test_all_three_are_fine(signing):
    assert found() == {}


def test_none_is_fine(signing):
    signing.DKIM_PRIVATE_KEY = signing.DKIM_SELECTOR = signing.DKIM_DOMAIN = ""
    assert found() == {}


@pytest.mark.parametrize("missing", ["DKIM_PRIVATE_KEY", "DKIM_SELECTOR", "DKIM_DOMAIN"])
def test_two_of_three_sign_nothing(signing, missing):
    setattr(signing, missing, "")
    assert f"but {missing} is not: mails would go out unsigned." in found()["notify.E024"].msg


@pytest.mark.parametrize("domain", ["other.example", "ail.example", "news.mail.example"])
def test_a_signature_for_another_domain_than_the_senders_counts_for_nothing(signing, domain):
    signing.DKIM_DOMAIN = domain
    assert "DMARC" in found()["notify.W019"].msg


def test_a_domain_above_the_senders_is_fine(signing):
    signing.DEFAULT_FROM_EMAIL = "shop@news.mail.example"
    assert found() == {}


def test_a_short_key_is_said_to_be_short(signing):
    signing.DKIM_PRIVATE_KEY = dkim_keys.new_private_key(bits=1024)
    assert "1024 bits" in found()["notify.W020"].msg
