"""The key for Web Push, as its setting takes it."""

import json

from django.core.management import call_command

from channels_push.service_settings import read_vapid_key, vapid_public_key


def test_the_key_is_printed_as_a_setting(capsys):
    call_command("make_vapid_key")
    out, err = capsys.readouterr()
    key = out.strip().removeprefix("VAPID_PRIVATE_KEY=")
    assert read_vapid_key(key) == key
    assert vapid_public_key(key) in err


def test_machines_get_both_halves(capsys):
    call_command("make_vapid_key", json=True)
    pair = json.loads(capsys.readouterr().out)
    assert vapid_public_key(pair["private_key"]) == pair["public_key"]
