"""The key of our mails: what the setting takes, and what stands in DNS."""

import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from channels_email import dkim_keys


def pem_of(key, password: bytes | None = None) -> str:
    form = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, form).decode()


RSA = dkim_keys.new_private_key()


def test_a_key_is_given_as_pem_on_one_line_or_as_a_file(tmp_path):
    file = tmp_path / "dkim.pem"
    file.write_text(RSA)
    assert dkim_keys.read_private_key(RSA) == RSA
    assert dkim_keys.read_private_key(RSA.replace("\n", "\\n")) == RSA
    assert dkim_keys.read_private_key(str(file)) == RSA
    assert dkim_keys.read_private_key("") == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/nowhere/dkim.pem", "neither a key in PEM nor a file"),
        ("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", "no private key in PEM"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "RSA or Ed25519"),
        (pem_of(rsa.generate_private_key(65537, 2048), b"secret"), "without a password"),
    ],
)
def test_anything_else_is_refused_without_repeating_it(text, says):
    with pytest.raises(ValueError, match=re.escape(says)) as refused:
        dkim_keys.read_private_key(text)
    assert "c2VjcmV0" not in str(refused.value)


@pytest.mark.parametrize("selector", ["mail", "2026-11", "a.b", ""])
def test_a_selector_is_a_name_in_dns(selector):
    assert dkim_keys.read_selector(selector) == selector


@pytest.mark.parametrize("selector", ["-mail", "mail_", "a..b", "a b", "mail;", "ä"])
def test_other_selectors_are_refused(selector):
    with pytest.raises(ValueError, match="letters, digits, hyphens"):
        dkim_keys.read_selector(selector)


@pytest.mark.parametrize("domain", ["example", "example.com.", "exa mple.com", "@example.com", "bücher.example"])
def test_other_domains_are_refused(domain):
    with pytest.raises(ValueError, match=r"example\.com is needed"):
        dkim_keys.read_domain(domain)


def test_a_line_of_a_zone_file_holds_the_whole_record_in_short_strings():
    line = dkim_keys.zone_line(RSA, selector="mail", domain="shop.example")
    strings = re.findall(r'"([^"]*)"', line)
    assert line.startswith("mail._domainkey.shop.example. IN TXT (")
    assert len(strings) == 2
    assert all(len(each) <= 255 for each in strings)
    assert "".join(strings) == dkim_keys.public_record(RSA)


def test_the_record_says_which_kind_of_key_it_is():
    assert dkim_keys.public_record(RSA).startswith("v=DKIM1; k=rsa; p=MII")
    pem = dkim_keys.new_private_key(is_ed25519=True)
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", dkim_keys.public_record(pem))
