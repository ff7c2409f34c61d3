import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

from users.encryption import CannotOpen, blind_index, fingerprint, newest_prefix, opened, seal
from users.key_ring import read_keys

OLD, NEW = f"old:{'o' * 32}", f"new:{'n' * 32}"


def test_what_is_sealed_opens_again():
    sealed = seal("whsec_ä", purpose="callback secret", owner="1")

    assert "whsec" not in sealed
    assert opened(sealed, purpose="callback secret", owner="1") == "whsec_ä"


def test_the_same_text_is_sealed_differently_each_time():
    assert seal("x", purpose="p", owner="1") != seal("x", purpose="p", owner="1")


@pytest.mark.parametrize(("purpose", "owner"), [("other", "1"), ("p", "2"), ("p", "")])
def test_it_opens_for_its_purpose_and_owner_only(purpose, owner):
    sealed = seal("x", purpose="p", owner="1")

    with pytest.raises(CannotOpen):
        opened(sealed, purpose=purpose, owner=owner)


def test_the_first_key_seals_and_every_key_opens(settings):
    settings.ENCRYPTION_KEYS = read_keys(OLD)
    before = seal("x", purpose="p")
    settings.ENCRYPTION_KEYS = read_keys(f"{NEW},{OLD}")
    after = seal("x", purpose="p")

    assert before.startswith("v2.old.")
    assert after.startswith("v2.new.")
    assert after.startswith(newest_prefix())
    assert opened(before, purpose="p") == opened(after, purpose="p") == "x"
    settings.ENCRYPTION_KEYS = read_keys(NEW)
    with pytest.raises(CannotOpen):
        opened(before, purpose="p")


def test_a_key_that_only_has_the_same_id_opens_nothing(settings):
    settings.ENCRYPTION_KEYS = read_keys(OLD)
    sealed = seal("x", purpose="p")
    settings.ENCRYPTION_KEYS = read_keys(f"old:{'x' * 32}")

    with pytest.raises(CannotOpen):
        opened(sealed, purpose="p")


def sealed_in_the_first_form(plain, *, purpose, owner, secret_key):
    key = hashlib.sha256(f"{purpose}:{secret_key}".encode()).digest()
    return "v1." + base64.urlsafe_b64encode(b"n" * 12 + AESGCM(key).encrypt(b"n" * 12, plain, owner.encode())).decode()


def test_what_the_secret_key_has_sealed_still_opens(settings):
    sealed = sealed_in_the_first_form("whsec_ä?".encode(), purpose="p", owner="1", secret_key=settings.SECRET_KEY)

    assert opened(sealed, purpose="p", owner="1") == "whsec_ä?"
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new key"
    with pytest.raises(CannotOpen):
        opened(sealed, purpose="p", owner="1")
    settings.SECRET_KEY_FALLBACKS = [old]
    assert opened(sealed, purpose="p", owner="1") == "whsec_ä?"


FOREIGN = base64.b64encode(b"x" * 40).decode()


@pytest.mark.parametrize(
    "text",
    ["", "v1.", "v1.x", "v1.ä", "v1." + FOREIGN, "v2.AAAA", "v2.nobody." + FOREIGN, "v3.AAAA", "ann@example.com"],
)
def test_what_we_did_not_seal_does_not_open(text):
    with pytest.raises(CannotOpen):
        opened(text, purpose="p", owner="1")


def test_without_a_key_nothing_is_sealed(settings):
    settings.ENCRYPTION_KEYS, settings.BLIND_INDEX_KEY = (), ""

    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        seal("x", purpose="p")
    with pytest.raises(ImproperlyConfigured, match="BLIND_INDEX_KEY"):
        blind_index("x")


def test_an_address_has_one_index_however_it_is_written():
    assert blind_index(" Ann@Example.COM ") == blind_index("ann@example.com")
    assert blind_index("e\u0301va@example.com") == blind_index("\u00e9va@example.com")
    assert blind_index("ann@example.com") != blind_index("anna@example.com")
    assert blind_index("stra\u00dfe@example.com") != blind_index("strasse@example.com")


def test_an_index_cannot_be_made_without_the_key(settings):
    before = blind_index("ann@example.com")
    settings.BLIND_INDEX_KEY = "another"

    assert blind_index("ann@example.com") != before


def test_fingerprints_of_other_purposes_differ():
    assert fingerprint("x", purpose="a") != fingerprint("x", purpose="b")
    assert fingerprint("x", purpose="a") != fingerprint("X", purpose="a")
