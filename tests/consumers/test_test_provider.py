"""A provider is asked for its opinion of our credentials, without a message."""

import json

import pytest
from django.core.management import CommandError, call_command
from structlog.testing import capture_logs

from channels_email.standins.all_of_them import MAIL_STANDINS
from channels_email.standins.sendgrid import SendGridStandIn
from channels_email.standins.smtp_server import SmtpServer
from channels_push.providers.fcm import FcmProvider
from channels_push.standins.fcm import FcmStandIn
from tests.channels_email.service_scene import use as use_mail_service
from tests.channels_push.push_scene import use_fcm, use_webpush


@pytest.fixture
def firebase(settings):
    with FcmStandIn() as server:
        use_fcm(settings, server)
        yield server


def test_a_provider_that_lets_us_in_works_and_nothing_is_sent(firebase, settings, capsys):
    call_command("test_provider", "fcm")
    assert "fcm: works." in capsys.readouterr().out
    use_webpush(settings)
    call_command("test_provider", "webpush", json=True)
    assert json.loads(capsys.readouterr().out)["works"] is True
    with SmtpServer() as mail_server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{mail_server.port}/"
        call_command("test_provider", "smtp")
        assert mail_server.accepted_count == 0
    assert firebase.accepted == []


@pytest.mark.parametrize("name", MAIL_STANDINS)
def test_a_mail_service_is_asked_about_our_key_and_with_an_address_takes_a_mail(settings, capsys, name):
    with MAIL_STANDINS[name]() as server:
        use_mail_service(settings, server)
        call_command("test_provider", name)
        assert f"{name}: works." in capsys.readouterr().out
        assert server.accepted == []
        call_command("test_provider", name, to="ann@example.com")
        assert "its name for it: " in capsys.readouterr().out
        assert [each["to"] for each in server.accepted] == ["ann@example.com"]
        with pytest.raises(CommandError):
            call_command("test_provider", name, to="ask-address@example.com")


def test_a_mail_server_takes_a_test_mail_too(settings):
    with SmtpServer() as mail_server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{mail_server.port}/"
        call_command("test_provider", "smtp", to="ann@example.com")
        assert mail_server.accepted_count == 1


def test_a_service_that_cannot_be_asked_says_how_it_can_be_tried(settings, capsys):
    with SendGridStandIn() as server:
        settings.MANDRILL_API_KEY, settings.MANDRILL_URL = "k", server.url
        with pytest.raises(CommandError):
            call_command("test_provider", "mandrill")
    assert "only a mail can tell" in capsys.readouterr().out


def test_refused_credentials_are_said_with_the_remedy(firebase, settings, capsys):
    firebase.oauth_answer = "invalid_grant"
    with pytest.raises(CommandError) as failed:
        call_command("test_provider", "fcm")
    assert failed.value.returncode == 1
    assert "make a new key" in capsys.readouterr().out


def test_what_is_no_subscription_does_not_work(settings, capsys):
    use_webpush(settings)
    with pytest.raises(CommandError, match="webpush does not work"):
        call_command("test_provider", "webpush", to="no subscription")
    assert "subscription" in capsys.readouterr().out


def test_an_adapter_with_a_fault_is_said_without_what_it_repeats(firebase, monkeypatch, capsys):
    def faulty(self, to):
        raise RuntimeError("Bearer s3cret-word")

    monkeypatch.setattr(FcmProvider, "check", faulty)
    with capture_logs() as lines, pytest.raises(CommandError, match="fcm does not work"):
        call_command("test_provider", "fcm")
    said = capsys.readouterr().out
    assert "RuntimeError" in said
    assert "s3cret" not in said + str(lines)


def test_a_token_that_nobody_has_does_not_work(firebase):
    with pytest.raises(CommandError):
        call_command("test_provider", "fcm", to="ask.UNREGISTERED.1")


@pytest.mark.parametrize("arguments", [{"name": "pigeon"}, {"name": "fcm", "channel": "email"}])
def test_what_is_not_there_is_a_usage_error(arguments):
    with pytest.raises(CommandError, match="no provider") as failed:
        call_command("test_provider", arguments.pop("name"), **arguments)
    assert failed.value.returncode == 2
    assert "capture" not in str(failed.value)


def test_capture_has_nobody_to_ask():
    with pytest.raises(CommandError, match="keeps messages here") as failed:
        call_command("test_provider", "capture")
    assert failed.value.returncode == 2


def test_an_address_without_a_password_is_named(settings, capsys):
    with SmtpServer() as mail_server:
        settings.EMAIL_URL = f"smtp+tls://127.0.0.1:{mail_server.port}"
        with pytest.raises(CommandError):
            call_command("test_provider", "smtp")
    assert f"127.0.0.1:{mail_server.port} cannot be used: it does not offer STARTTLS" in capsys.readouterr().out
