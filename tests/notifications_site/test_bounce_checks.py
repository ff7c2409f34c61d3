"""Places for bounces that do not work, or prove nothing."""

import pytest
from django.core.checks import run_checks

from channels_email.return_address import read_bounce_domain
from notifications_site.checks import TAG


def found():
    return {message.id: message for message in run_checks(tags=[TAG])}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "new").mkdir()
    return tmp_path


def test_a_folder_and_a_domain_are_fine(settings, folder):
    settings.BOUNCE_MAILDIR, settings.BOUNCE_DOMAIN = str(folder), read_bounce_domain("bounces.example.com")
    assert found() == {}


def test_a_folder_that_is_not_there_is_said(settings, folder):
    settings.BOUNCE_MAILDIR, settings.BOUNCE_DOMAIN = f"{folder}/none", read_bounce_domain("bounces.example.com")
    assert f"{folder}/none/new" in found()["notify.W023"].msg


def test_without_a_domain_nothing_proves_a_bounce(settings, folder):
    settings.BOUNCE_MAILDIR = str(folder)
    assert "no address is ever blocked" in found()["notify.W022"].msg


@pytest.mark.parametrize(
    ("scheme", "is_local", "expected"), [("imap", False, True), ("imap", True, False), ("imaps", False, False)]
)
def test_a_password_in_the_open_is_said_but_not_shown(settings, scheme, is_local, expected):
    settings.BOUNCE_IMAP_URL = f"{scheme}://ann:s3cret@mail.example.com"
    settings.BOUNCE_DOMAIN, settings.IS_LOCAL = read_bounce_domain("bounces.example.com"), is_local
    warning = found().get("notify.W021")
    assert (warning is not None) is expected
    assert "s3cret" not in str(warning)
