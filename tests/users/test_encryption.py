import base64

import pytest

from users.encryption import CannotOpen, opened, seal


def test_what_is_sealed_opens_again():
    sealed = seal("whsec_ä", purpose="callback secret", owner="1")

    assert "whsec" not in sealed
    assert opened(sealed, purpose="callback secret", owner="1") == "whsec_ä"


def test_the_same_text_is_sealed_differently_each_time():
    assert seal("x", purpose="p", owner="1") != seal("x", purpose="p", owner="1")


@pytest.mark.parametrize(("purpose", "owner"), [("other", "1"), ("p", "2")])
def test_it_opens_for_its_purpose_and_owner_only(purpose, owner):
    sealed = seal("x", purpose="p", owner="1")

    with pytest.raises(CannotOpen):
        opened(sealed, purpose=purpose, owner=owner)


def test_after_a_change_of_the_key_the_old_one_still_opens_while_it_is_kept(settings):
    sealed = seal("x", purpose="p", owner="1")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new key"

    with pytest.raises(CannotOpen):
        opened(sealed, purpose="p", owner="1")

    settings.SECRET_KEY_FALLBACKS = [old]
    assert opened(sealed, purpose="p", owner="1") == "x"


@pytest.mark.parametrize("text", ["", "v1.", "v1.x", "v1.ä", "v2.AAAA", "v1." + base64.b64encode(b"x" * 40).decode()])
def test_what_we_did_not_seal_does_not_open(text):
    with pytest.raises(CannotOpen):
        opened(text, purpose="p", owner="1")
