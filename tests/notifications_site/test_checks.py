import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks

from channels_email.mail_services import MAIL_SERVICES
from consumers.delivery_rules import read_rules
from notifications_site import checks
from notifications_site.checks import TAG


def on_database(monkeypatch, vendor):
    monkeypatch.setattr(checks, "connection", SimpleNamespace(vendor=vendor))


def found():
    return {message.id: message for message in run_checks(tags=[TAG])}


@pytest.fixture
def production(settings, monkeypatch):
    settings.ENVIRONMENT, settings.IS_LOCAL = "production", False
    settings.EMAIL_PROVIDERS = settings.PUSH_PROVIDERS = ["capture"]
    settings.PUBLIC_URL = "https://notify.example.com"
    on_database(monkeypatch, "postgresql")
    return settings


def test_a_machine_without_settings_has_nothing_to_mend():
    assert found() == {}


@pytest.mark.parametrize(
    ("names", "says", "question"),
    [
        (["captur"], "'captur', which is no provider", "Did you mean 'capture'? "),
        (["Capture"], "'Capture', which is no provider", "Did you mean 'capture'? "),
        (["carrier-pigeon"], "'carrier-pigeon', which is no provider", ""),
    ],
)
@pytest.mark.parametrize(
    ("setting", "there_are"),
    [
        ("EMAIL_PROVIDERS", f"There are: capture, smtp, {', '.join(MAIL_SERVICES)}."),
        ("PUSH_PROVIDERS", "There are: capture, fcm, onesignal, webpush."),
    ],
)
def test_an_unknown_provider_is_an_error_that_offers_the_right_name(
    settings, setting, there_are, names, says, question
):
    setattr(settings, setting, names)

    message = found()["notify.E005"]

    assert message.msg.startswith(setting)
    assert says in message.msg
    assert message.hint == question + there_are


def test_smtp_without_a_mail_server_is_an_error(settings):
    settings.EMAIL_PROVIDERS, settings.EMAIL_URL = ["smtp"], ""

    assert "EMAIL_URL" in found()["notify.E006"].hint
    settings.EMAIL_URL = "smtp://mail.example.com"
    assert "notify.E006" not in found()


def test_a_mail_service_without_its_settings_is_an_error(settings):
    settings.EMAIL_PROVIDERS = ["sendgrid", "mailjet"]
    missing = [each for each in run_checks(tags=[TAG]) if each.id == "notify.E006"]
    assert [each.msg.split()[4] for each in missing] == ["SENDGRID_API_KEY", "MAILJET_API_KEY", "MAILJET_SECRET_KEY"]
    assert "Settings, API Keys" in missing[0].hint
    assert "in the admin" in missing[0].hint
    settings.SENDGRID_API_KEY = settings.MAILJET_API_KEY = settings.MAILJET_SECRET_KEY = "k"
    assert "notify.E006" not in found()


def test_amazon_without_its_library_is_an_error(settings, monkeypatch):
    settings.EMAIL_PROVIDERS, settings.AMAZON_SES_REGION = ["amazon_ses"], "eu-central-1"
    assert "notify.E025" not in found()
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert "boto3" in found()["notify.E025"].msg


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("fcm", ["FCM_CREDENTIALS"]),
        ("onesignal", ["ONESIGNAL_APP_ID", "ONESIGNAL_API_KEY"]),
        ("webpush", ["VAPID_PRIVATE_KEY", "VAPID_SUBJECT"]),
    ],
)
def test_a_push_service_without_its_settings_is_an_error(settings, name, needed):
    settings.PUSH_PROVIDERS = [name]
    for setting in needed:
        setattr(settings, setting, "")
    said = " ".join(each.msg for each in run_checks(tags=[TAG]) if each.id == "notify.E006")
    for setting in needed:
        assert setting in said
        setattr(settings, setting, "given")
    assert "notify.E006" not in found()


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        ("smtp://shop:s3cret@mail.example.com", True),
        ("SMTP://shop:s3cret@mail.example.com", True),
        ("smtp+tls://shop:s3cret@mail.example.com", False),
        ("smtps://shop:s3cret@mail.example.com", False),
        ("smtp://mail.example.com", False),
        ("", False),
    ],
)
def test_a_mail_password_in_the_open_is_a_warning_outside_of_one_machine(production, url, is_told):
    production.EMAIL_URL = url

    assert ("notify.W018" in found()) is is_told
    production.IS_LOCAL = True
    assert "notify.W018" not in found()


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        ("https://api.sendgrid.com/v3", False),
        ("http://proxy.example.com/v3", True),
        ("http://127.0.0.1:8080/v3", False),
        ("", False),
    ],
)
def test_a_key_in_the_open_is_a_warning_outside_of_one_machine(production, url, is_told):
    production.EMAIL_PROVIDERS, production.SENDGRID_URL = ["sendgrid"], url

    assert ("notify.W026" in found()) is is_told
    production.EMAIL_PROVIDERS = ["smtp"]
    assert "notify.W026" not in found()


@pytest.mark.parametrize(
    ("setting", "value", "is_told"),
    [
        ("ALERT_EMAILS", [], True),
        ("PROVIDER_WEBHOOK_SECRET", "us:s3cret", False),
        ("MAILGUN_WEBHOOK_SIGNING_KEY", "key", False),
        ("RESEND_SIGNING_SECRET", "whsec_a2V5", True),
    ],
)
def test_news_that_nothing_proves_is_a_warning_outside_of_one_machine(production, setting, value, is_told):
    production.EMAIL_PROVIDERS = ["mailgun"]
    setattr(production, setting, value)

    assert ("notify.W016" in found()) is is_told
    production.IS_LOCAL = True
    assert "notify.W016" not in found()


@pytest.mark.parametrize(
    ("emails", "server", "says"),
    [
        (["ops@example.com"], "", "ALERT_EMAILS is set and ALERT_EMAIL_URL is not"),
        ([], "smtps://mail.example.com", "ALERT_EMAIL_URL is set and ALERT_EMAILS is not"),
        (["ops at example"], "smtps://mail.example.com", "'ops at example', which is no e-mail address"),
    ],
)
def test_alerts_that_would_reach_nobody_are_an_error(settings, emails, server, says):
    settings.ALERT_EMAILS, settings.ALERT_EMAIL_URL = emails, server

    assert says in found()["notify.E008"].msg


def test_alerts_with_addresses_and_a_server_are_in_order(settings):
    settings.ALERT_EMAILS, settings.ALERT_EMAIL_URL = ["ops@example.com"], "smtps://mail.example.com"

    assert found() == {}


def test_capture_in_production_is_an_error_for_each_channel(production):
    messages = [message for message in run_checks(tags=[TAG]) if message.id == "notify.E002"]

    assert [message.msg.split()[0] for message in messages] == ["EMAIL_PROVIDERS", "PUSH_PROVIDERS"]


@pytest.mark.parametrize("environment", ["local", "staging"])
def test_capture_is_fine_elsewhere(production, environment):
    production.ENVIRONMENT = environment

    assert "notify.E002" not in found()


def test_sqlite_outside_of_one_machine_is_a_warning(production, monkeypatch):
    assert "notify.W010" not in found()

    on_database(monkeypatch, "sqlite")

    assert "DATABASE_URL" in found()["notify.W010"].hint


@pytest.mark.parametrize(("setting", "nothing"), [("ENCRYPTION_KEYS", ()), ("BLIND_INDEX_KEY", "")])
def test_personal_data_without_a_key_is_an_error(settings, setting, nothing):
    assert "notify.E003" not in found()

    setattr(settings, setting, nothing)

    assert setting in found()["notify.E003"].msg


def test_rabbitmq_without_postgresql_is_an_error(production, monkeypatch):
    production.RABBITMQ_URL = "amqp://notify:s3cret@mq.internal/"
    assert "notify.E004" not in found()

    on_database(monkeypatch, "sqlite")

    assert "DATABASE_URL" in found()["notify.E004"].hint
    production.RABBITMQ_URL = ""
    assert "notify.E004" not in found()


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        ("amqp://guest:guest@mq.internal/", True),
        ("amqp://mq.internal/", True),
        ("amqp://guest:s3cret@mq.internal/", False),
        ("amqp://notify:s3cret@mq.internal/", False),
        ("", False),
    ],
)
def test_a_broker_that_everybody_can_enter_is_a_warning_outside_of_one_machine(production, url, is_told):
    production.RABBITMQ_URL = url

    assert ("notify.W011" in found()) is is_told
    production.IS_LOCAL = True
    assert "notify.W011" not in found()


@pytest.mark.parametrize("setting", ["CALLBACK_ALLOW_HTTP", "CALLBACK_ALLOW_PRIVATE"])
def test_callbacks_that_may_go_inside_are_a_warning_outside_of_one_machine(production, setting):
    production.CALLBACK_ALLOW_HTTP = production.CALLBACK_ALLOW_PRIVATE = False
    assert "notify.W012" not in found()

    setattr(production, setting, True)
    assert setting in found()["notify.W012"].msg
    production.IS_LOCAL = True
    assert "notify.W012" not in found()


def test_an_open_address_outside_of_one_machine_is_a_warning(production):
    assert "notify.W015" not in found()

    production.PUBLIC_URL = "http://notify.example.com"

    assert "https://" in found()["notify.W015"].hint


def test_manage_py_check_says_them():
    done = subprocess.run(
        [sys.executable, configured.BASE_DIR / "manage.py", "check", "--tag", TAG],
        env={"EMAIL_PROVIDERS": "captur", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "(notify.E005) EMAIL_PROVIDERS names 'captur'" in done.stderr
    assert "Did you mean 'capture'?" in done.stderr


def test_a_rule_for_a_provider_that_does_not_exist_is_an_error(settings):
    settings.DELIVERY_RULES = read_rules("email.max_attempts=5,smpt.rate=5/s,smtp.rate=5/s", max_attempts=8)

    message = found()["notify.E009"]

    assert "'smpt'" in message.msg
    assert "Did you mean 'smtp'?" in message.hint
