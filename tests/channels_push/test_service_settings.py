"""Settings of push services: what is taken, and that a refusal repeats no secret."""

import json

import pytest

from channels_push.service_settings import (
    new_vapid_key,
    read_service_account,
    read_vapid_key,
    read_vapid_subject,
    vapid_public_key,
)
from tests.channels_push.push_scene import an_account


def test_a_service_account_is_given_as_json_or_as_a_file(tmp_path):
    file = tmp_path / "account.json"
    file.write_text(json.dumps(an_account()))
    assert read_service_account(str(file)) == read_service_account(file.read_text()) == an_account()
    assert read_service_account("") == {}


@pytest.mark.parametrize("text", ["{", "/none.json", "{}", '{"type": "user", "private_key": "s3cret-key"}', "[]"])
def test_what_is_no_service_account_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError, match="service account") as refused:
        read_service_account(text)
    assert "s3cret" not in str(refused.value)


def test_a_vapid_key_has_a_public_half_that_browsers_take():
    key = new_vapid_key()
    assert read_vapid_key(key) == key
    assert len(vapid_public_key(key)) == 87
    assert vapid_public_key(key).startswith("B")
    assert read_vapid_key("") == ""


@pytest.mark.parametrize("text", ["s3cret", "A" * 43, "é" * 43])
def test_what_is_no_key_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError, match="make_vapid_key") as refused:
        read_vapid_key(text)
    assert text not in str(refused.value)


def test_subjects():
    assert read_vapid_subject("mailto:ops@example.com") == "mailto:ops@example.com"
    with pytest.raises(ValueError, match="mailto:"):
        read_vapid_subject("ops@example.com")
