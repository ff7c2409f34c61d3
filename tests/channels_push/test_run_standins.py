"""The stand-ins for developers: the settings they print lead to them."""

import json
import shlex
import signal
import socket
import threading
import urllib.request

import pytest
from django.core.management import CommandError, call_command

from channels_push.management.commands import run_standins
from channels_push.service_settings import read_service_account, read_service_url, read_vapid_key


@pytest.fixture
def port():
    """Three free ones in a row, most likely."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return min(probe.getsockname()[1], 65_000)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def test_what_is_printed_leads_to_them(port, monkeypatch, capsys):
    found = []

    def look(self, timeout=None):
        found.extend(shlex.split(capsys.readouterr().out.replace("export ", "")))
        values = dict(each.split("=", 1) for each in found)
        assert read_service_account(values["FCM_CREDENTIALS"])["project_id"] == "stand-in"
        assert read_vapid_key(values["VAPID_PRIVATE_KEY"])
        for name in ("FCM_URL", "ONESIGNAL_URL"):
            with urllib.request.urlopen(f"{read_service_url(values[name])}/control/accepted") as answer:
                assert json.loads(answer.read()) == []
        return True

    class Ended:
        set = staticmethod(lambda: None)
        wait = look

    with monkeypatch.context() as only_here:
        only_here.setattr(run_standins, "threading", type("T", (), {"Event": Ended}))
        call_command("run_standins", port=port)
    assert found
    assert not [each for each in threading.enumerate() if each.name.startswith("stand-in")]


def test_they_are_for_development_only(settings):
    settings.IS_LOCAL = False
    with pytest.raises(CommandError, match="ENVIRONMENT=local"):
        call_command("run_standins")
