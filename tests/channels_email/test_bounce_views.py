"""A mail server posts what came back."""

import base64

import pytest
from django.db import OperationalError

from channels_email import bounce_views
from channels_email.mail_parts import LARGEST_MAIL
from channels_email.return_address import read_bounce_domain, return_address
from gateway.models import ProviderEvent
from gateway.statuses import Status
from tests.channels_email import bounce_mails as mails
from tests.channels_email.bounce_scene import ANN, blocked, ended, sent_to

pytestmark = pytest.mark.django_db
ROUTE = "/webhooks/email/smtp/bounce/"
BASIC = "Basic " + base64.b64encode(b"mail:s3cret").decode()


@pytest.fixture(autouse=True)
def in_use(settings):
    settings.EMAIL_PROVIDERS = ["smtp"]
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")
    settings.PROVIDER_WEBHOOK_SECRET = "mail:s3cret"


@pytest.fixture
def post(client):
    def run(raw: bytes, *, recipient: str = "", authorization: str = BASIC, content_type: str = "message/rfc822"):
        query = {"recipient": recipient} if recipient else {}
        return client.post(
            ROUTE, raw, content_type=content_type, query_params=query, headers={"authorization": authorization}
        )

    return run


def test_a_bounce_is_taken_and_a_repeat_does_nothing(post):
    row = sent_to()
    raw = mails.postfix("shop@mail.example", ANN, row.message_id)
    for _ in range(2):
        answer = post(raw, recipient=return_address(row.pk))
        assert (answer.status_code, answer.json()) == (200, {"known": True, "outcome": "bounced"})
    assert ended(row) == (Status.BOUNCED, "mailbox_unknown")
    assert blocked() == ["hard_bounce"]
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (mails.a_human("b@x.example", ANN, "x"), "no_bounce"),
        (mails.postfix("b@x.example", ANN, "somebody-elses"), "not_ours"),
        (b"\xff\x00", "unreadable"),
        (b"", "unreadable"),
    ],
)
def test_what_is_no_news_is_understood_all_the_same(post, raw, outcome):
    answer = post(raw)
    assert (answer.status_code, answer.json()) == (200, {"known": False, "outcome": outcome})


@pytest.mark.parametrize("authorization", ["", "Basic x", "Basic " + base64.b64encode(b"mail:wrong").decode()])
def test_without_the_secret_nothing_is_believed(post, authorization):
    row = sent_to()
    raw = mails.postfix(return_address(row.pk), ANN, row.message_id)
    answer = post(raw, authorization=authorization)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert ended(row)[0] == Status.SENT


def test_where_no_secret_is_set_nobody_has_it(post, settings):
    settings.PROVIDER_WEBHOOK_SECRET = ""
    assert post(b"From: a\n\nb", authorization="Basic " + base64.b64encode(b"").decode()).status_code == 400


def test_a_mail_may_have_two_mebibytes(post):
    assert post(b"From: a\n\n" + b"x" * (LARGEST_MAIL - 9)).status_code == 200
    assert post(b"From: a\n\n" + b"x" * LARGEST_MAIL).status_code == 413


def test_only_a_mail_is_read(post):
    assert post(b"{}", content_type="application/json").status_code == 415


def test_where_no_mail_goes_by_smtp_there_is_no_such_page(post, client, settings):
    assert client.head(ROUTE).status_code == 200
    settings.EMAIL_PROVIDERS = ["capture"]
    assert client.head(ROUTE).status_code == 200
    settings.BOUNCE_DOMAIN = None
    assert client.head(ROUTE).status_code == 404
    assert post(b"From: a\n\nb").status_code == 404


def test_while_the_database_is_away_it_is_to_be_sent_again(post, monkeypatch):
    def fail(mail):
        raise OperationalError("away")

    monkeypatch.setattr(bounce_views, "take_in", fail)
    assert post(b"From: a\n\nb").status_code == 503
