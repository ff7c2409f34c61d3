"""Operators set up providers: what they see, what they may write, what is never shown again."""

import json

import pytest
from django.urls import reverse

from channels_email.standins.smtp_server import SmtpServer
from gateway.models import ProviderSetting
from gateway.provider_order import provider_order
from gateway.provider_set_up import _store
from gateway.provider_settings import known_fields, provider_setting
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.channels_push.push_scene import an_account
from users.audit_models import AuditEntry

pytestmark = pytest.mark.django_db

BOARD = "/admin/gateway/providerstate/"
SMTP, ORDER = f"{BOARD}email/smtp/settings/", f"{BOARD}order/email/"
URL = "smtp+tls://shop:s3cret-word@mail.example.com:587"


@pytest.fixture(autouse=True)
def followed(stored_settings_followed):
    """Every page looks into the table."""


@pytest.fixture
def client():
    return signed_in(owner())


def said(client, address, **values) -> str:
    answer = client.post(address, values, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


# --- what it needs to know --------------------------------------------------------------------------------------------
def test_a_provider_is_set_up_and_its_secret_never_shown_again(client):
    assert "smtp is set up" in said(client, SMTP, EMAIL_URL=URL)
    assert provider_setting("EMAIL_URL") == URL
    text = page(client, SMTP)
    assert "smtp+tls://mail.example.com:587" in text
    for hidden in ("s3cret", "shop:"):
        assert hidden not in text
        assert hidden not in page(client, BOARD)
    [line] = AuditEntry.objects.all()
    assert (line.who, line.after) == ("Olga", {"settings": ["EMAIL_URL"]})


def test_an_empty_secret_stays_what_it_was(client):
    said(client, SMTP, EMAIL_URL=URL)
    assert "Nothing changed" in said(client, SMTP, EMAIL_URL="")
    assert provider_setting("EMAIL_URL") == URL


def test_what_cannot_be_read_is_refused_in_the_words_of_the_environment_and_not_repeated(client):
    text = said(client, SMTP, EMAIL_URL="http://shop:s3cret-word@mail.example.com")
    assert "smtp+tls://user:password@host:587" in text
    assert "Begins with" in text
    assert "s3cret" not in text
    assert "s3cret" not in said(client, SMTP, EMAIL_URL="s3cret-word")
    assert not ProviderSetting.objects.exists()


def test_a_long_secret_that_is_refused_is_not_repeated(client):
    text = said(client, f"{BOARD}push/fcm/settings/", FCM_CREDENTIALS='{"private_key": "s3cret-word"}')
    assert "This is no service account" in text
    assert "s3cret-word" not in text


def test_a_service_account_is_recognised_by_its_name(client):
    account = an_account()
    said(client, f"{BOARD}push/fcm/settings/", FCM_CREDENTIALS=json.dumps(account))
    text = page(client, f"{BOARD}push/fcm/settings/")
    assert account["project_id"] in text
    assert "PRIVATE KEY" not in text
    assert provider_setting("FCM_CREDENTIALS") == account


def test_what_is_needed_must_be_given(client):
    text = said(client, f"{BOARD}push/onesignal/settings/", ONESIGNAL_APP_ID="app")
    assert "This field is required." in text
    assert not ProviderSetting.objects.exists()
    done = said(client, f"{BOARD}push/onesignal/settings/", ONESIGNAL_APP_ID="app", ONESIGNAL_API_KEY="a-long-key-1234")
    assert "onesignal is set up" in done


def test_what_the_environment_says_is_shown_as_such_and_cannot_be_edited(client, settings):
    settings.EMAIL_URL = URL
    text = page(client, SMTP)
    assert "set by the environment" in text
    assert "s3cret" not in text
    assert 'name="EMAIL_URL"' not in text
    said(client, SMTP, EMAIL_URL="smtp://other.example.com")
    assert not ProviderSetting.objects.exists()


def test_a_setting_is_removed_after_a_question_and_with_a_reason(client):
    said(client, SMTP, EMAIL_URL=URL)
    _store("EMAIL_PROVIDERS", "smtp", "Olga")
    address = f"{SMTP}EMAIL_URL/remove/"
    assert "smtp is in use: without it messages wait" in page(client, address)
    assert provider_setting("EMAIL_URL") == URL
    assert "EMAIL_URL is removed." in said(client, address, reason="moved")
    assert provider_setting("EMAIL_URL") == ""
    assert client.get(f"{SMTP}ONESIGNAL_API_KEY/remove/").status_code == 404


def test_who_shares_a_setting_is_named_before_it_is_removed(client):
    _store("PROVIDER_WEBHOOK_SECRET", "user:s3cret-word", "Olga")
    assert "Remove PROVIDER_WEBHOOK_SECRET?" in page(
        client, f"{BOARD}push/onesignal/settings/PROVIDER_WEBHOOK_SECRET/remove/"
    )


def test_what_is_stored_under_a_lost_key_is_said(client):
    ProviderSetting.objects.create(name="EMAIL_URL", value="v2.gone.AAAA")
    assert page(client, SMTP)
    _store("VAPID_PRIVATE_KEY", "no key", "Olga")
    assert "cannot be read any more" in page(client, f"{BOARD}push/webpush/settings/")


def test_a_stored_key_goes_to_no_address_it_was_not_written_for(client):
    sendgrid = f"{BOARD}email/sendgrid/settings/"
    usual, other = known_fields()["SENDGRID_URL"].default, "http://127.0.0.1:9"
    said(client, sendgrid, SENDGRID_API_KEY="SG.first-key-1234", SENDGRID_URL=usual)
    assert "Write it anew too" in said(client, sendgrid, SENDGRID_URL=other)
    assert provider_setting("SENDGRID_URL") == usual
    assert "sendgrid is set up" in said(client, sendgrid, SENDGRID_API_KEY="SG.other-key-1234", SENDGRID_URL=other)
    assert provider_setting("SENDGRID_URL") == other
    assert "sendgrid is set up" in said(client, sendgrid, SENDGRID_URL=f"{other}/")  # the same address
    assert "sendgrid is set up" in said(client, sendgrid, SENDGRID_API_KEY="SG.third-key-1234", SENDGRID_URL=other)


def test_a_key_of_the_environment_goes_to_no_address_of_the_admin(client, settings):
    settings.SENDGRID_API_KEY = "SG.key-of-the-environment"
    text = said(client, f"{BOARD}email/sendgrid/settings/", SENDGRID_URL="http://127.0.0.1:9")
    assert "SENDGRID_API_KEY is set by the environment" in text
    assert not ProviderSetting.objects.exists()


# --- a test -----------------------------------------------------------------------------------------------------------
def test_a_provider_is_tried_with_what_is_stored(client):
    with SmtpServer() as server:
        said(client, SMTP, EMAIL_URL=f"smtp://127.0.0.1:{server.port}")
        assert "smtp: works." in said(client, f"{BOARD}email/smtp/try/")


def test_a_test_that_fails_says_why_without_the_secret(client):
    said(client, SMTP, EMAIL_URL="smtp://shop:s3cret-word@127.0.0.1:9")
    text = said(client, f"{BOARD}email/smtp/try/")
    assert "smtp: " in text
    assert "works" not in text
    assert "s3cret-word" not in text
    assert "needs no credentials" in said(client, f"{BOARD}email/capture/try/")
    assert client.get(f"{BOARD}email/smtp/try/").status_code == 405


# --- the order --------------------------------------------------------------------------------------------------------
def test_an_order_with_weights_is_stored(client):
    said(client, SMTP, EMAIL_URL=URL)
    values = {"place_smtp": 1, "weight_smtp": 70, "place_capture": 2, "weight_capture": 30}
    assert "Stored." in said(client, ORDER, **values)
    assert str(provider_order("email")) == "smtp:70,capture:30"
    line = AuditEntry.objects.get(what="provider.order_stored")
    assert (line.before, line.after) == ({"order": "capture"}, {"order": "smtp:70,capture:30"})
    assert "smtp:70, capture:30" in page(client, BOARD)
    assert 'value="70"' in page(client, ORDER)


def test_switching_off_asks_first(client):
    said(client, SMTP, EMAIL_URL=URL)
    text = said(client, ORDER, place_smtp=1)
    assert "Switch off capture?" in text
    assert provider_order("email").names == ("capture",)
    said(client, ORDER, place_smtp=1, confirmed="yes")
    assert provider_order("email").names == ("smtp",)


def test_a_push_service_that_is_switched_off_is_warned_of(client):
    _store("PUSH_PROVIDERS", "onesignal,capture", "Olga")
    assert "pushes to them end as “no device”" in said(client, f"{BOARD}order/push/", place_capture=1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "At least one provider is needed."),
        ({"place_smtp": 1}, "smtp lacks Mail server: set it up first."),
        ({"place_smtp": 1, "place_capture": 1}, "Two providers have the same place."),
        ({"place_capture": 1, "place_smtp": 2, "weight_smtp": 3}, "stands behind one without"),
    ],
)
def test_an_order_in_which_nobody_could_send_is_refused(client, values, words):
    assert words in said(client, ORDER, **values, csrfmiddlewaretoken="x")
    assert not ProviderSetting.objects.exists()


def test_capture_is_refused_in_production(client, settings):
    settings.ENVIRONMENT = "production"
    assert "in production nobody would get them" in said(client, ORDER, place_capture=1)


def test_the_order_of_the_environment_cannot_be_edited(client, settings):
    settings.EMAIL_PROVIDERS = ["capture"]
    text = page(client, ORDER)
    assert "set by the environment" in text
    assert "<code>EMAIL_PROVIDERS=capture</code>" in text
    said(client, ORDER, place_capture=1)
    assert not ProviderSetting.objects.exists()


# --- who may ----------------------------------------------------------------------------------------------------------
def test_who_may_only_look_is_offered_nothing(client):
    viewer = signed_in(staff("gateway.view_providerstate"))
    text = page(viewer, BOARD)
    assert "smtp" in text
    for hidden in (SMTP, ORDER):
        assert hidden not in text
        assert viewer.get(hidden).status_code == 403
        assert hidden in page(client, BOARD)


def test_what_does_not_exist_is_not_found(client):
    for address in ("email/pigeon/settings/", "fax/smtp/settings/", "order/fax/"):
        assert client.get(BOARD + address).status_code == 404
    assert reverse("admin:gateway_providerstate_settings", args=["email", "smtp"]) == SMTP


@pytest.mark.parametrize("address", [BOARD, SMTP, ORDER])
def test_these_pages_ask_little_of_the_database(client, address):
    asked = [sql for sql in queries_of(client, address) if "gateway_providersetting" not in sql]
    assert len(asked) <= MOST_QUERIES
