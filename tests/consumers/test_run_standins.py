"""The stand-ins for developers: the settings they print lead to them."""

import json
import random
import shlex
import signal
import smtplib
import socket
import threading
import urllib.request

import pytest
from django.core.management import CommandError, call_command

from channels_email.standins.all_of_them import MAIL_STANDINS
from channels_push.service_settings import read_service_account, read_vapid_key
from consumers import ports
from consumers.management.commands import run_standins
from gateway.service_address import read_service_url


@pytest.fixture
def port():
    """As many free ones in a row as there are stand-ins; below those that connections take for themselves."""
    rows = (random.randrange(12_000, 32_000) for _ in range(100))  # noqa: S311  no secret
    return next(row for row in rows if all(ports.is_free(row + each) for each in range(len(run_standins.STANDINS))))


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.fixture
def run(port, monkeypatch, capsys):
    """Runs them until `look` has seen the settings they print."""

    def run_and_look(look, *names):
        seen = []

        def wait(self, timeout=None):
            printed = shlex.split(capsys.readouterr().out.replace("export ", ""))
            seen.append(dict(each.split("=", 1) for each in printed))
            look(seen[0])
            return True

        class Ended:
            set = staticmethod(lambda: None)

        Ended.wait = wait
        with monkeypatch.context() as only_here:
            only_here.setattr(run_standins, "threading", type("T", (), {"Event": Ended}))
            call_command("run_standins", *names, port=port)
        return seen[0]

    return run_and_look


def accepted_at(address):
    with urllib.request.urlopen(f"{read_service_url(address).removesuffix('/v3')}/control/accepted") as answer:
        return json.loads(answer.read())


def test_what_is_printed_leads_to_them(run):
    def look(values):
        assert read_service_account(values["FCM_CREDENTIALS"])["project_id"] == "stand-in"
        assert read_vapid_key(values["VAPID_PRIVATE_KEY"])
        for name in ("FCM_URL", "ONESIGNAL_URL", *(f"{each.upper()}_URL" for each in MAIL_STANDINS)):
            assert accepted_at(values[name]) == []

    values = run(look)
    assert values["EMAIL_PROVIDERS"] == "sendgrid,mailgun,amazon_ses,postmark,brevo,resend,smtp,capture"
    assert values["PUSH_PROVIDERS"] == "fcm,onesignal,webpush,capture"
    assert not [each for each in threading.enumerate() if each.name.startswith("stand-in")]


def test_some_of_them_are_chosen_by_name(run, port):
    values = run(lambda values: accepted_at(values["SENDGRID_URL"]), "mailgun", "sendgrid")
    assert values.keys() == {
        *("EMAIL_PROVIDERS", "SENDGRID_API_KEY", "SENDGRID_URL"),
        *("MAILGUN_API_KEY", "MAILGUN_URL", "MAILGUN_SENDER_DOMAIN"),
    }
    assert values["EMAIL_PROVIDERS"] == "sendgrid,mailgun,capture"
    with pytest.raises(CommandError, match="sendgrind"):
        call_command("run_standins", "sendgrind")


def test_a_port_in_use_is_said(port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(CommandError, match=f"Port {port} is in use"):
            call_command("run_standins", "fcm", port=port)


def test_they_are_for_development_only(settings):
    settings.IS_LOCAL = False
    with pytest.raises(CommandError, match="ENVIRONMENT=local"):
        call_command("run_standins")


def test_the_mail_server_takes_mails_and_keeps_a_log_of_them(run, tmp_path):
    def look(values):
        server = values["EMAIL_URL"].removeprefix("smtp://").split(":")
        with smtplib.SMTP(server[0], int(server[1])) as link:
            link.sendmail("a@example.com", ["b@example.com"], "Subject: Hello\r\n\r\nHello")

    values = run(look, "smtp")
    assert values.keys() == {"EMAIL_PROVIDERS", "EMAIL_URL"}
    kept = json.loads((tmp_path / "standin-mails.jsonl").read_text())
    assert kept["recipient"] == "b@example.com"
