"""OneSignal over real connections: what leaves, and what every answer means."""

import uuid
from datetime import timedelta

import pytest

from channels_push.onesignal_answers import MEANINGS
from channels_push.providers.onesignal import OneSignalProvider
from channels_push.standins.onesignal import OneSignalStandIn
from gateway.channel_contract import Outcome, ProviderAway
from tests.channels_push.push_scene import ONESIGNAL_APP, a_push, use_onesignal, words


@pytest.fixture
def server(settings):
    with OneSignalStandIn() as server:
        use_onesignal(settings, server)
        yield server


@pytest.fixture
def provider(server):
    provider = OneSignalProvider()
    yield provider
    provider.close()


def a_subscription(tail=""):
    return f"0b7c2a8e-0000-4000-8000-{tail or uuid.uuid4().hex[:12]}"


def asking(tail="", **how):
    return a_push(a_subscription(tail), provider="onesignal", **how)


def send(provider, *messages):
    provider.connect()
    return list(provider.send(messages))


def test_a_push_carries_words_data_and_what_each_platform_calls_its_own(provider, server):
    said = words(
        image="https://shop.example/p.png",
        link="https://shop.example/o/1",
        data={"order": "1", "_badge": "3", "_sound": "bell.caf", "_tag": "order-1"},
        actions=({"action": "track", "title": "Track", "link": "https://shop.example/t/1"},),
    )
    push = asking(said=said, priority=8, time_to_live=timedelta(hours=1))
    (result,) = send(provider, push)
    assert result.outcome is Outcome.ACCEPTED
    assert uuid.UUID(result.provider_message_id)
    (taken,) = server.accepted
    assert taken["data"].keys() == {"order", "link", "notification_id", "receipt"}
    assert {name: taken[name] for name in taken if name not in ("data", "idempotency_key")} == {
        "app_id": ONESIGNAL_APP,
        "target_channel": "push",
        "include_subscription_ids": [push.device.token],
        "headings": {"en": "Your parcel"},
        "contents": {"en": "It is here."},
        "ttl": 3600,
        "priority": 10,
        "collapse_id": "order-1",
        "url": "https://shop.example/o/1",
        "big_picture": "https://shop.example/p.png",
        "chrome_web_image": "https://shop.example/p.png",
        "ios_attachments": {"image": "https://shop.example/p.png"},
        "buttons": [{"id": "track", "text": "Track"}],
        "web_buttons": [{"id": "track", "text": "Track", "url": "https://shop.example/t/1"}],
        "ios_badgeType": "SetTo",
        "ios_badgeCount": 3,
        "ios_sound": "bell.caf",
    }


def test_a_push_that_is_repeated_goes_out_once(provider, server):
    push = asking()
    first, second = send(provider, push) + send(provider, push)
    assert first.provider_message_id == second.provider_message_id
    assert len(server.accepted) == 1


@pytest.mark.parametrize(
    ("tail", "outcome", "error_code", "reason", "wait"),
    [
        ("000000000404", Outcome.PERMANENT, "unregistered", "token_invalid", None),
        ("000000000200", Outcome.PERMANENT, "not_subscribed", "token_invalid", None),
        ("000000000400", Outcome.PERMANENT, "message_refused", "rejected", None),
        ("000000000429", Outcome.THROTTLED, "too_fast", "rejected", 4),
        ("000000000500", Outcome.TRANSIENT, "service_trouble", "rejected", None),
        ("000000000503", Outcome.TRANSIENT, "service_trouble", "rejected", None),
        ("000000000504", Outcome.UNKNOWN, "no_answer", "rejected", None),
        ("000000000418", Outcome.TRANSIENT, "unknown_answer", "rejected", None),
        ("000000000002", Outcome.UNKNOWN, "no_answer", "rejected", None),
        ("000000000003", Outcome.UNKNOWN, "no_answer", "rejected", None),
    ],
)
def test_every_answer_means_what_it_says(provider, server, tail, outcome, error_code, reason, wait):
    asked, fine = send(provider, asking(tail), asking())
    assert (asked.outcome, asked.error_code, asked.reason) == (outcome, error_code, reason)
    assert asked.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert fine.outcome is Outcome.ACCEPTED


def test_a_wrong_key_or_app_is_our_mistake(provider, server, settings):
    settings.ONESIGNAL_API_KEY = "other"
    assert send(provider, asking())[0].error_code == "access_refused"
    settings.ONESIGNAL_API_KEY, settings.ONESIGNAL_APP_ID = server.key, "none"
    (result,) = send(provider, asking())
    assert (result.outcome, result.error_code) == (Outcome.MISCONFIGURED, "app_unknown")
    assert all(each.remedy for each in MEANINGS.values() if each.outcome is Outcome.MISCONFIGURED)


def test_without_settings_or_service_nothing_is_handed_over(settings, server):
    settings.ONESIGNAL_URL = "http://127.0.0.1:9"
    with pytest.raises(ProviderAway) as away:
        OneSignalProvider().connect()
    assert away.value.outcome is Outcome.TRANSIENT
    settings.ONESIGNAL_API_KEY = ""
    with pytest.raises(ProviderAway, match="ONESIGNAL_API_KEY") as away:
        OneSignalProvider().connect()
    assert away.value.outcome is Outcome.MISCONFIGURED


def test_data_that_is_too_large_is_not_sent(provider, server):
    too_large, fine = send(provider, asking(said=words(data={"a": "x" * 2048})), asking())
    assert (too_large.outcome, too_large.error_code) == (Outcome.PERMANENT, "payload_too_large")
    assert fine.outcome is Outcome.ACCEPTED


def test_the_key_is_checked_without_sending(provider, server):
    assert provider.check("").error_code == "unregistered"
    assert server.accepted == []


def test_its_news_is_waited_for_only_where_it_is_let_in(provider, settings):
    settings.PROVIDER_WEBHOOK_SECRET = ""
    assert not provider.reports_delivery
    settings.PROVIDER_WEBHOOK_SECRET = "us:secret"
    assert provider.reports_delivery
