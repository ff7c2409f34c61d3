"""Keys as the pages of mail services show them; a wrong one is said, never repeated."""

import pytest

from channels_email.webhook_keys import NEWS_FIELDS, read_sendgrid_key, read_svix_secret, sendgrid_key, svix_secret
from channels_email.webhooks import SERVICES
from tests.channels_email.webhook_scene import RESEND_SECRET, SENDGRID_KEY, SENDGRID_PRIVATE


def test_keys_are_taken_as_they_are_shown():
    assert (read_sendgrid_key(""), read_svix_secret("")) == ("", "")
    assert read_sendgrid_key(SENDGRID_KEY) == SENDGRID_KEY
    assert sendgrid_key(f" {SENDGRID_KEY[:64]}\n{SENDGRID_KEY[64:]}\n") == SENDGRID_PRIVATE.public_key()
    assert svix_secret(read_svix_secret(RESEND_SECRET)) == b"secret of the webhook at Resend"


@pytest.mark.parametrize("text", ["§x§", "c2VjcmV0", "-----BEGIN PUBLIC", "éé"])
@pytest.mark.parametrize("read", [read_sendgrid_key, read_svix_secret])
def test_what_is_no_key_is_said_without_repeating_it(read, text):
    with pytest.raises(ValueError, match="copy it from") as refused:
        read(text)
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", ["whsec_", "whsec_é", "whsec_!"])
def test_a_signing_secret_has_something_behind_its_beginning(text):
    with pytest.raises(ValueError, match="whsec_"):
        read_svix_secret(text)


def test_whose_news_is_read_is_whose_proofs_are_asked_for():
    asked = {name: {field.setting for field in fields} for name, fields in NEWS_FIELDS.items()}
    assert asked == {
        name: {"PROVIDER_WEBHOOK_SECRET", service.key_setting} - {""} for name, service in SERVICES.items()
    }
