"""Who is believed when a mail service's news is posted, and what is answered."""

import base64
import json
import time

import pytest
import structlog
from django.db import OperationalError

from channels_email import sns, webhooks
from gateway import outbound_http
from gateway.models import ProviderEvent
from gateway.outbound_http import Answer
from gateway.statuses import Status
from tests.channels_email.webhook_scene import (
    BASIC,
    MAILGUN_KEY,
    SECRET,
    SERVICES,
    SIGNING,
    post_of,
    route,
    signature,
    tell,
)
from tests.channels_email.webhook_scene import sns as sns_post
from tests.factories import NotificationFactory

pytestmark = pytest.mark.django_db
MINUTE, HOUR = 60, 3600


@pytest.fixture(autouse=True)
def in_use(settings):
    settings.EMAIL_PROVIDERS, settings.PROVIDER_WEBHOOK_SECRET = list(SERVICES), SECRET


@pytest.fixture
def signs(settings):
    """All services that can sign do."""
    for setting, key in SIGNING.values():
        setattr(settings, setting, key)


@pytest.fixture
def sent():
    return NotificationFactory(status=Status.SENT)


def refused(answer):
    assert not ProviderEvent.objects.exists()
    assert answer["Content-Type"] == "application/problem+json"
    return (answer.status_code, answer.json()["code"])


FORGED = (400, "invalid_signature")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("secret", ["mail-services:other", "", "mail-services:s3cret2", "MAIL-SERVICES:s3cret"])
def test_who_does_not_know_the_secret_tells_nothing(client, signs, sent, service, secret):
    body = post_of(service, "delivered", sent)
    assert refused(tell(client, service, body, secret=secret or " ")) == FORGED


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"amazon_ses"}))
@pytest.mark.parametrize("header", [None, "Basic", "Basic !", "Bearer abc", BASIC.replace("Basic", "Digest")])
def test_nor_who_shows_something_else(client, signs, sent, service, header):
    headers = {"Authorization": header} if header else {}
    answer = tell(client, service, post_of(service, "delivered", sent), secret=None, **headers)
    assert refused(answer) == FORGED


def test_amazon_is_asked_for_its_credentials_as_it_sends_them_only_then(client, sent):
    body = post_of("amazon_ses", "delivered", sent)
    answer = tell(client, "amazon_ses", body, secret=None)
    assert refused(answer) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Basic ")
    assert tell(client, "amazon_ses", body).json() == {"recorded": 1}


@pytest.mark.parametrize("service", sorted(SIGNING))
def test_a_signature_that_is_wanted_cannot_be_left_out(client, signs, sent, service):
    body = post_of(service, "delivered", sent)
    if service == "mailgun":
        del body["signature"]
    assert refused(tell(client, service, body, signed=False)) == FORGED


@pytest.mark.parametrize("service", ["mailtrap", "resend", "sendgrid"])
def test_every_part_of_a_signature_is_needed(client, signs, sent, service):
    raw = json.dumps(post_of(service, "delivered", sent)).encode()
    proof = signature(service, raw)
    for name in proof:
        rest = {key: value for key, value in proof.items() if key != name}
        assert refused(tell(client, service, raw, signed=False, **rest)) == FORGED
    assert tell(client, service, raw, signed=False, **proof).status_code == 200


@pytest.mark.parametrize("service", ["mailtrap", "resend", "sendgrid"])
def test_a_changed_body_is_not_what_was_signed(client, signs, sent, service):
    raw = json.dumps(post_of(service, "delivered", sent)).encode()
    changed = raw.replace(b"deliver", b"discover")
    assert changed != raw
    assert refused(tell(client, service, changed, signed=False, **signature(service, raw))) == FORGED


@pytest.mark.parametrize("service", sorted(set(SIGNING) - {"mailtrap"}))  # Mailtrap does not sign the time
@pytest.mark.parametrize("late", [-26 * HOUR, 26 * HOUR])
def test_an_old_post_is_refused_though_it_is_signed(client, signs, sent, service, late):
    at = time.time() + late
    body = post_of(service, "delivered", sent, **({"at": at} if service == "mailgun" else {}))
    assert refused(tell(client, service, body, at=at)) == FORGED


def test_resend_signs_anew_whenever_it_tries_again_so_five_minutes_are_old(client, signs, sent):
    body = post_of("resend", "delivered", sent)
    assert refused(tell(client, "resend", body, at=time.time() - 6 * MINUTE)) == FORGED
    assert tell(client, "resend", body, at=time.time() - 4 * MINUTE).status_code == 200


@pytest.mark.parametrize("service", ["mailgun", "sendgrid"])
def test_others_may_try_again_for_hours(client, signs, sent, service):
    at = time.time() - 8 * HOUR
    body = post_of(service, "delivered", sent, **({"at": at} if service == "mailgun" else {}))
    assert tell(client, service, body, at=at).status_code == 200


def test_while_the_secret_at_resend_changes_either_signature_will_do(client, signs, sent):
    raw = json.dumps(post_of("resend", "delivered", sent)).encode()
    proof = signature("resend", raw)
    proof["svix-signature"] = f"v1,{base64.b64encode(b'0' * 32).decode()} v1a,x {proof['svix-signature']}"
    assert tell(client, "resend", raw, signed=False, **proof).status_code == 200


@pytest.mark.parametrize("wrong", [{"key": "other"}, {"token": "b" * 50}, {"at": "x"}])
def test_mailguns_signature_is_of_its_key_time_and_token(client, signs, sent, wrong):
    body = post_of("mailgun", "delivered", sent, key=MAILGUN_KEY)
    if "key" in wrong:
        body = post_of("mailgun", "delivered", sent, key=wrong["key"])
    else:
        body["signature"] |= {"token": wrong.get("token", "a"), "timestamp": wrong.get("at", "1")}
    assert refused(tell(client, "mailgun", body)) == FORGED


@pytest.mark.parametrize("service", sorted(SIGNING))
def test_a_signature_alone_is_enough_where_no_secret_is_set(client, signs, settings, sent, service):
    settings.PROVIDER_WEBHOOK_SECRET = ""
    body = post_of(service, "delivered", sent)
    assert tell(client, service, body, secret=None).json() == {"recorded": 1}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("secret", [None, ":", "mail-services:s3cret"])
def test_where_nothing_is_set_nothing_is_believed(client, settings, sent, service, secret):
    settings.PROVIDER_WEBHOOK_SECRET = ""
    assert refused(tell(client, service, post_of(service, "delivered", sent), secret=secret)) == FORGED


def test_the_log_names_what_was_wrong_and_no_secret(client, signs, sent):
    with structlog.testing.capture_logs() as lines:
        tell(client, "mailgun", post_of("mailgun", "delivered", sent, key="guessed"), secret="mail-services:guess")
    said = str(lines)
    assert "['secret', 'signature']" in said
    assert not any(word in said for word in ("guess", "s3cret", MAILGUN_KEY))


def test_a_service_that_does_not_send_our_mails_does_not_exist(client, settings):
    settings.EMAIL_PROVIDERS = ["smtp", "capture", "mailgun"]
    for service in ("sendgrid", "smtp", "capture", "nobody", "mandrill"):
        for answer in (tell(client, service, b"[]"), client.head(route(service)), client.get(route(service))):
            assert answer.status_code == 404
    assert client.get("/webhooks/email/mailgun/inbound/").status_code == 404


@pytest.mark.parametrize("service", SERVICES)
def test_services_probe_before_they_post(client, service):
    probes = [client.head(route(service)), client.get(route(service)), client.get(route(service), HTTP_ACCEPT="a/b")]
    assert [answer.status_code for answer in probes] == [200, 200, 200]
    assert client.put(route(service)).status_code == 405


def test_a_post_is_of_some_size_only(client):
    body = b"[" + b" " * 1024 * 1024 + b"]"
    answer = tell(client, "sendgrid", body, signed=False)
    assert refused(answer) == (413, "payload_too_large")


def test_a_form_is_no_news(client):
    answer = client.post(route("mailgun"), {"event": "delivered"}, headers={"Authorization": BASIC})
    assert refused(answer) == (415, "unsupported_media_type")


def test_while_the_database_is_away_the_service_is_told_to_come_back(client, sent, monkeypatch):
    def away(news):
        raise OperationalError("gone")

    monkeypatch.setattr(webhooks.tracking, "record_news", away)
    answer = tell(client, "postmark", post_of("postmark", "delivered", sent))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer["Retry-After"]


# --- Amazon asks whether we want a topic's posts ----------------------------------------------------------------------
TOPIC = "arn:aws:sns:eu-central-1:123456789012:ses-events"


@pytest.fixture
def amazon(monkeypatch):
    """Where was called, and what is answered there."""
    calls, answers = [], [Answer(status=200)]

    def post(url, body, headers, **more):
        calls.append((url, body.decode()))
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    monkeypatch.setattr(sns.outbound_http, "post", post)
    return calls, answers


def confirmation(**more):
    return sns_post({}, Type="SubscriptionConfirmation", Token="t&1", TopicArn=TOPIC, **more)


def test_a_topic_is_confirmed_at_amazon_wherever_the_post_points(client, amazon):
    calls, _ = amazon
    body = confirmation(SubscribeURL="http://169.254.169.254/latest/meta-data/")
    assert tell(client, "amazon_ses", body).json() == {"recorded": 0}
    ((url, said),) = calls
    assert url == "https://sns.eu-central-1.amazonaws.com/"
    assert said == (
        "Action=ConfirmSubscription&Version=2010-03-31"
        "&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A123456789012%3Ases-events&Token=t%261"
    )


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:evil.example.com/:123456789012:x",
        "arn:aws:sns:us-east-1.evil:123456789012:x",
        "arn:aws:sqs:us-east-1:123456789012:x",
        "arn:aws:sns:us-east-1:123456789012:x\n",
        "",
    ],
)
def test_what_names_no_topic_is_never_called(client, amazon, topic):
    answer = tell(client, "amazon_ses", confirmation() | {"TopicArn": topic})
    assert (answer.status_code, amazon[0]) == (503, [])


def test_without_the_secret_no_topic_is_confirmed(client, amazon):
    assert refused(tell(client, "amazon_ses", confirmation(), secret="mail-services:other")) == FORGED
    assert amazon[0] == []


@pytest.mark.parametrize("trouble", [Answer(status=403), outbound_http.CallFailed("timeout")])
def test_amazon_asks_again_when_it_could_not_be_told(client, amazon, trouble):
    amazon[1][0] = trouble
    assert refused(tell(client, "amazon_ses", confirmation())) == (503, "unavailable")


def test_the_chinese_partition_has_an_address_of_its_own(client, amazon):
    tell(client, "amazon_ses", confirmation() | {"TopicArn": "arn:aws-cn:sns:cn-north-1:123456789012:x.fifo"})
    assert amazon[0][0][0] == "https://sns.cn-north-1.amazonaws.com.cn/"
