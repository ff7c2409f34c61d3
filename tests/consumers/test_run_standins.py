"""The stand-ins for developers: the settings they print lead to them."""

import json
import random
import shlex
import signal
import smtplib
import socket
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from standardwebhooks import Webhook

from channels_email.standins.all_of_them import MAIL_STANDINS
from channels_push.service_settings import read_service_account, read_vapid_key
from consumers import ports
from consumers.management.commands import run_standins
from gateway.service_address import read_service_url
from gateway.standin_callbacks import is_signed_with


@pytest.fixture
def port():
    """As many free ones in a row as there are stand-ins; below those that connections take for themselves."""
    rows = (random.randrange(12_000, 32_000) for _ in range(100))  # noqa: S311  no secret
    return next(row for row in rows if all(ports.is_free(row + each) for each in range(run_standins.PORTS)))


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
    assert values["EMAIL_PROVIDERS"] == "sendgrid,mailgun,amazon_ses,postmark,brevo,resend,smtp"
    assert values["PUSH_PROVIDERS"] == "fcm,onesignal,webpush,capture"
    assert not [each for each in threading.enumerate() if each.name.startswith("stand-in")]


def test_some_of_them_are_chosen_by_name(run, port):
    values = run(lambda values: accepted_at(values["SENDGRID_URL"]), "mailgun", "sendgrid")
    assert values.keys() == {
        *("EMAIL_PROVIDERS", "SENDGRID_API_KEY", "SENDGRID_URL"),
        *("MAILGUN_API_KEY", "MAILGUN_URL", "MAILGUN_SENDER_DOMAIN"),
    }
    assert values["EMAIL_PROVIDERS"] == "sendgrid,mailgun"
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


def ask(port, path, method="GET", **body):
    whole = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", whole, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"null")


@pytest.mark.parametrize("name", [each for each in run_standins.STANDINS if each != "smtp"])
def test_every_service_takes_rules_and_refuses_what_it_cannot_answer(run, port, name):
    at = port + list(run_standins.STANDINS).index(name)

    def look(values):
        answers = ask(at, "/control/rules")[1]["answers"]
        assert {"hang", "reset", "half", "drip", "lost", "delay-300"} <= set(answers)
        for answer in answers:
            assert ask(at, "/control/rules", "POST", recipient="*", answer=answer) == (200, {"*": answer})
        status, told = ask(at, "/control/rules", "POST", recipient="*", answer="pigeon")
        assert (status, told["answers"]) == (400, answers)
        assert ask(at, "/control/rules", "POST", recipient="*", answer="") == (200, {})
        assert ask(at, "/control/rules", "POST", recipient="one", answer=answers[0])[0] == 200
        assert ask(at, "/control/rules", "DELETE") == (200, {})
        assert ask(at, "/control/accepted", "DELETE") == (200, [])

    run(look, name)


def test_the_mail_server_takes_rules_at_its_control_port(run, port):
    at = port + run_standins.PORTS - 1

    def look(values):
        def told(to):
            with smtplib.SMTP(*values["EMAIL_URL"].removeprefix("smtp://").split(":")) as link:
                try:
                    link.sendmail("a@example.com", [to], "Subject: Hello\r\n\r\nHello")
                except smtplib.SMTPRecipientsRefused as refused:
                    return refused.recipients[to][0]
                except smtplib.SMTPResponseException as refused:
                    return refused.smtp_code
            return 250

        ask(at, "/control/rules", "POST", recipient="ann@example.com", answer="rcpt-550-5.1.1")
        assert [told("ann@example.com"), told("bob@example.com"), told("dot-554@example.com")] == [550, 250, 554]
        ask(at, "/control/rules", "POST", recipient="*", answer="mail-451-4.3.0")
        assert told("bob@example.com") == 451
        ask(at, "/control/rules", "DELETE")
        assert told("ann@example.com") == 250
        assert ask(at, "/control/rules", "POST", recipient="*", answer="hang")[0] == 400
        taken = ask(at, "/control/accepted")[1]
        assert [each["recipients"] for each in taken] == [["bob@example.com"], ["ann@example.com"]]
        assert "Subject: Hello" in taken[0]["content"]

    run(look, "smtp")


def test_a_client_is_played_too_and_checks_what_is_signed(run, port):
    at = port + list(run_standins.STANDINS).index("callbacks")
    body = {"type": "callback.test"}

    def look(values):
        assert values == {}
        assert ask(at, "/hooks", "POST", **body)[0] == 204
        assert ask(at, "/ask-410/hooks", "POST", **body)[0] == 410
        assert ask(at, "/hooks")[0] == 405
        ask(at, "/control/rules", "POST", recipient="/hooks", answer="503")
        assert ask(at, "/hooks", "POST", **body)[0] == 503
        ask(at, "/control/rules", "DELETE")
        ask(at, "/control/secret", "POST", secret="whsec_" + "QUFB" * 10)
        assert ask(at, "/hooks", "POST", **body)[0] == 401
        taken = ask(at, "/control/accepted")[1]
        assert [(each["path"], each["is_signed"]) for each in taken] == [("/hooks", None), ("/hooks", False)]

    run(look, "callbacks")


def test_the_played_client_knows_a_right_signature():
    secret, body = "whsec_" + "QUFB" * 10, b'{"type": "callback.test"}'
    now = datetime.now(UTC).replace(microsecond=0)
    signed = Webhook(secret).sign("evt_1", now, body.decode())
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signed}
    assert is_signed_with(secret, headers, body)
    assert not is_signed_with(secret, headers, body + b" ")
