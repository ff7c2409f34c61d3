"""The key that signs our mails, as its settings take it."""

import json

import pytest
from django.core.management import CommandError, call_command

from channels_email import dkim_keys


def test_the_settings_are_printed_to_be_stored_and_the_record_to_be_published(capsys):
    call_command("make_dkim_key", "--domain", "shop.example", "--selector", "2026-11")
    out, err = capsys.readouterr()
    given = dict(line.split("=", 1) for line in out.strip().splitlines())
    pem = dkim_keys.read_private_key(given["DKIM_PRIVATE_KEY"].strip('"'))
    assert (given["DKIM_SELECTOR"], given["DKIM_DOMAIN"]) == ("2026-11", "shop.example")
    assert "2026-11._domainkey.shop.example" in err
    assert dkim_keys.public_record(pem) in err
    assert "PRIVATE" not in err


@pytest.mark.parametrize("kind", [[], ["--ed25519"]])
def test_machines_get_one_object(capsys, kind):
    call_command("make_dkim_key", "--domain", "shop.example", "--selector", "mail", "--json", *kind)
    made = json.loads(capsys.readouterr().out)
    assert made["name"] == "mail._domainkey.shop.example"
    assert made["record"] == dkim_keys.public_record(made["private_key"])
    assert ("ed25519" in made["record"]) == bool(kind)


@pytest.mark.parametrize(("domain", "selector"), [("shop", "mail"), ("shop.example", "a b")])
def test_names_that_dns_does_not_know_are_refused(domain, selector):
    with pytest.raises(CommandError, match="is needed"):
        call_command("make_dkim_key", "--domain", domain, "--selector", selector)
