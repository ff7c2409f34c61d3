"""What mail services post, through the route, with real signatures: recorded examples of each service's own forms."""

import json
import random

import pytest

from channels_email import webhooks
from gateway.models import Notification, ProviderEvent
from gateway.reasons import sentence
from gateway.statuses import Status
from tests.channels_email.webhook_scene import (
    KINDS,
    SECRET,
    SERVICES,
    SIGNING,
    post_of,
    sendgrid_event,
    sns,
    tell,
)
from tests.factories import NotificationFactory
from tests.gateway.ledger_scene import SENT, TAKEN, handed_over, record
from users.models import Preference, Suppression
from users.wish_models import ConsentEvent

pytestmark = pytest.mark.django_db
#: Kind → (status, reason, type of the news).
ENDINGS = {
    "delivered": ("delivered", "delivered", "delivered"),
    "deferred": ("sent", "sent", "deferred"),
    "hard_bounce": ("bounced", "mailbox_unknown", "bounced"),
    "soft_bounce": ("bounced", "mailbox_full", "bounced"),
    "complained": ("sent", "sent", "complained"),
    "dropped": ("bounced", "mailbox_unknown", "bounced"),
    "opened": ("sent", "sent", "opened"),
    "clicked": ("sent", "sent", "clicked"),
}


@pytest.fixture(autouse=True)
def in_use(settings):
    settings.EMAIL_PROVIDERS, settings.PROVIDER_WEBHOOK_SECRET = list(SERVICES), SECRET
    for setting, key in SIGNING.values():
        setattr(settings, setting, key)


@pytest.fixture
def sent(request):
    return NotificationFactory(status=Status.SENT, reason="sent", user__email="ann@example.com")


def now(notification):
    return Notification.objects.get(pk=notification.pk)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("service", SERVICES)
def test_every_event_of_every_service_is_understood_once(client, sent, service, kind):
    body = post_of(service, kind, sent)
    assert [tell(client, service, body).json()["recorded"] for _ in range(2)] == [1, 0]
    status, reason, type_ = ENDINGS[kind]
    row, news = now(sent), ProviderEvent.objects.get()
    assert (row.status, row.reason, row.complained) == (status, reason, kind == "complained")
    assert (news.provider, news.type) == (service, type_)
    assert news.occurred_at is not None
    assert ("ann@" in news.detail, "token" in news.detail) == (False, False)


@pytest.mark.parametrize("service", SERVICES)
def test_a_bounce_for_good_and_a_complaint_block_the_address(client, sent, service):
    other = NotificationFactory(status=Status.SENT)
    tell(client, service, post_of(service, "hard_bounce", sent))
    tell(client, service, post_of(service, "complained", other))
    assert dict(Suppression.objects.values_list("notification_id", "reason")) == {
        sent.pk: "hard_bounce",
        other.pk: "complaint",
    }


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"resend"}))  # Resend tells of no such thing
def test_who_unsubscribes_at_the_service_gets_no_more_of_it(client, sent, service):
    body = post_of(service, "unsubscribed", sent)
    for _ in range(2):
        assert tell(client, service, body).status_code == 200
    assert list(Preference.objects.values_list("user", "channel", "category", "is_enabled")) == [
        (sent.user_id, "email", sent.category_code, False)
    ]
    assert list(ConsentEvent.objects.values_list("by", "source", "became")) == [("provider", service, False)]
    assert now(sent).status == Status.SENT
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("service", SERVICES)
def test_in_whatever_order_and_however_often_the_end_is_the_same(client, service):
    told = ["delivered", "hard_bounce", "complained", "opened", "deferred"]
    chance = random.Random(service)  # noqa: S311  which order does not matter
    for _ in range(6):
        row = NotificationFactory(status=Status.SENT)
        order = chance.sample(told, len(told)) + chance.choices(told, k=3)
        for kind in order:
            assert tell(client, service, post_of(service, kind, row)).status_code == 200
        end = now(row)
        assert (end.status, end.reason, end.complained) == ("bounced", "mailbox_unknown", True), order
        assert row.provider_events.count() == len(told)


@pytest.mark.parametrize("service", SERVICES)
def test_news_that_overtakes_our_own_record_waits_for_it(client, service):
    row, attempt = handed_over()
    assert tell(client, service, post_of(service, "delivered", row)).json() == {"recorded": 1}
    assert now(row).status == Status.SENDING
    record(row, attempt, TAKEN, SENT)
    assert now(row).status == Status.DELIVERED


@pytest.mark.parametrize("service", SERVICES)
def test_the_sentence_of_a_delivery_names_the_domain(client, sent, service):
    tell(client, service, post_of(service, "delivered", sent))
    assert now(sent).reason_data == {"provider": service, "domain": "example.com"}


def test_the_sentence_of_a_bounce_names_the_servers_code(client, sent):
    tell(client, "sendgrid", post_of("sendgrid", "hard_bounce", sent))
    assert sentence(now(sent).reason, now(sent).reason_data) == (
        "The mail server says there is no such mailbox (550 5.1.1)."
    )


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("stranger", ["019a2b7e-2222-7abc-8def-0123456789ab", "no id"])
def test_mails_that_are_not_ours_are_no_trouble(client, service, stranger):
    assert tell(client, service, post_of(service, "hard_bounce", stranger)).json() == {"recorded": 0}


def test_a_batch_is_recorded_in_one_go(client, django_assert_max_num_queries):
    rows = NotificationFactory.create_batch(40, status=Status.SENT)
    batch = [sendgrid_event("delivered", str(row.pk)) for row in rows]
    with django_assert_max_num_queries(20):
        assert tell(client, "sendgrid", batch).json() == {"recorded": 40}
    assert set(Notification.objects.values_list("status", flat=True)) == {"delivered"}


def test_a_large_batch_goes_in_several(client, monkeypatch):
    monkeypatch.setattr(webhooks, "AT_ONCE", 2)
    rows = NotificationFactory.create_batch(5, status=Status.SENT)
    batch = [sendgrid_event("opened", str(row.pk)) for row in rows]
    assert tell(client, "sendgrid", batch).json() == {"recorded": 5}


@pytest.mark.parametrize("service", ["sendgrid", "mailgun"])
def test_without_our_metadata_the_message_id_says_which_mail_it_was(client, sent, service):
    body = post_of(service, "delivered", sent)
    event = body[0] if service == "sendgrid" else body["event-data"]
    event.pop("notification_id", None), event.pop("user-variables", None)
    assert tell(client, service, body).json() == {"recorded": 1}


def test_a_try_again_of_mailgun_with_a_new_signature_is_the_same_news(client, sent):
    told = [post_of("mailgun", "delivered", sent, token=token) for token in ("a", "b")]
    assert [tell(client, "mailgun", body).json()["recorded"] for body in told] == [1, 0]


def test_what_was_dropped_because_of_an_unsubscription_turns_the_category_off(client, sent):
    body = post_of("sendgrid", "dropped", sent, reason="Unsubscribed Address")
    assert tell(client, "sendgrid", body).json() == {"recorded": 2}
    assert (now(sent).status, now(sent).reason) == ("bounced", "rejected")
    assert Preference.objects.get().is_enabled is False


@pytest.mark.parametrize(
    "body",
    [b"", b"[]]", b"{}", b"[1]", b'"x"', b"\xff", b"[" * 100_000, b'[{"event": "open", "timestamp": 1e300}]'],
)
@pytest.mark.parametrize("service", ["sendgrid", "postmark", "amazon_ses", "brevo"])
def test_what_cannot_be_read_is_refused_and_does_no_harm(client, service, body):
    answer = tell(client, service, body)
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["code"] == "malformed_json"
    assert not ProviderEvent.objects.exists()


def test_hostile_values_are_kept_as_plain_text(client, sent):
    event = sendgrid_event("hard_bounce", str(sent.pk), reason="550 5.1.1 \x00\ud800 bob@example.com" + "x" * 5000)
    event["sg_event_id"] = "\ud800" * 900
    assert tell(client, "sendgrid", [event]).json() == {"recorded": 1}
    kept = ProviderEvent.objects.get()
    assert len(kept.detail) == 500
    assert "bob@" not in kept.detail + Suppression.objects.get().evidence


def test_amazon_says_that_a_topic_works_and_that_it_ends(client):
    works = sns("", Message="Successfully validated SNS topic for Amazon SES event publishing.")
    ends = sns({}, Type="UnsubscribeConfirmation")
    assert [tell(client, "amazon_ses", body).json() for body in (works, ends)] == [{"recorded": 0}] * 2


def test_old_posts_of_resend_only_have_words(client, sent):
    body = post_of("resend", "soft_bounce", sent)
    body["data"]["bounce"] = {"message": "a bounce message because the recipient's inbox was full"}
    tell(client, "resend", json.dumps(body).encode())
    assert now(sent).reason == "mailbox_full"
