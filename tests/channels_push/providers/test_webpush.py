"""Web Push over real connections, decrypted on the other side with the subscription's own keys."""

from datetime import timedelta

import pytest

from channels_push.providers import webpush as webpush_module
from channels_push.providers.webpush import LARGEST, WebPushProvider, payload_of
from channels_push.receipts import read_receipt
from channels_push.standins.webpush import WebPushStandIn
from channels_push.webpush_answers import MEANINGS
from gateway.channel_contract import Outcome, ProviderAway
from tests.channels_push.push_scene import a_push, use_webpush, words


@pytest.fixture
def server(settings):
    use_webpush(settings)
    settings.CALLBACK_ALLOW_HTTP = settings.CALLBACK_ALLOW_PRIVATE = True
    with WebPushStandIn() as server:
        yield server


@pytest.fixture
def provider(server):
    provider = WebPushProvider()
    yield provider
    provider.close()


def to(subscription, **how):
    return a_push(subscription, provider="webpush", kind="subscription", platform="web", **how)


def send(provider, *messages):
    provider.connect()
    return list(provider.send(messages))


def test_the_browser_reads_what_was_said(provider, server):
    said = words(
        image="https://shop.example/p.png",
        link="https://shop.example/o/1",
        data={"order": "1", "_tag": "order-1"},
        actions=({"action": "track", "title": "Track", "link": "https://shop.example/t/1"},),
    )
    subscription = server.subscribe()
    push = to(subscription, said=said, priority=8, time_to_live=timedelta(hours=1))
    assert [each.outcome for each in send(provider, push)] == [Outcome.ACCEPTED]
    (taken,) = server.accepted
    assert (taken["endpoint"], taken["ttl"], taken["urgency"]) == (subscription["endpoint"], "3600", "high")
    assert len(taken["topic"]) == 32
    payload = taken["payload"]
    proof = read_receipt(payload["data"].pop("receipt"))
    assert (proof.notification_id, proof.device_id) == (push.notification_id, push.device_id)
    assert payload == {
        "title": "Your parcel",
        "body": "It is here.",
        "image": "https://shop.example/p.png",
        "link": "https://shop.example/o/1",
        "actions": [{"action": "track", "title": "Track", "link": "https://shop.example/t/1"}],
        "tag": "order-1",
        "data": {"order": "1", "link": "https://shop.example/o/1", "notification_id": str(push.notification_id)},
    }


def test_every_push_is_signed_for_its_own_push_service(provider, server):
    with WebPushStandIn() as other:
        results = send(provider, *[to(each.subscribe()) for each in (server, other, server, other)])
        assert [each.outcome for each in results] == [Outcome.ACCEPTED] * 4
        assert len(server.accepted) == len(other.accepted) == 2


@pytest.mark.parametrize(
    ("answer", "outcome", "error_code", "reason", "wait"),
    [
        ("404", Outcome.PERMANENT, "unregistered", "token_invalid", None),
        ("410", Outcome.PERMANENT, "unregistered", "token_invalid", None),
        ("400", Outcome.PERMANENT, "message_refused", "rejected", None),
        ("413", Outcome.PERMANENT, "payload_too_large", "rejected", None),
        ("401", Outcome.MISCONFIGURED, "access_refused", "rejected", 3600),
        ("403", Outcome.MISCONFIGURED, "access_refused", "rejected", 3600),
        ("429", Outcome.THROTTLED, "too_fast", "rejected", 3),
        ("500", Outcome.TRANSIENT, "service_trouble", "rejected", None),
        ("503", Outcome.TRANSIENT, "service_trouble", "rejected", 2),
        ("504", Outcome.UNKNOWN, "no_answer", "rejected", None),
        ("302", Outcome.TRANSIENT, "unknown_answer", "rejected", None),
        ("reset", Outcome.UNKNOWN, "no_answer", "rejected", None),
        ("lost", Outcome.UNKNOWN, "no_answer", "rejected", None),
    ],
)
def test_every_answer_means_what_it_says(provider, server, answer, outcome, error_code, reason, wait):
    asked, fine = send(provider, to(server.subscribe(answer)), to(server.subscribe()))
    assert (asked.outcome, asked.error_code, asked.reason) == (outcome, error_code, reason)
    assert asked.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert fine.outcome is Outcome.ACCEPTED
    assert all(each.remedy for each in MEANINGS.values() if each.outcome is Outcome.MISCONFIGURED)


def test_an_answer_that_does_not_come_in_time_is_a_doubt(provider, server, monkeypatch):
    monkeypatch.setattr(webpush_module, "WITHIN", timedelta(seconds=0.2))
    (result,) = send(provider, to(server.subscribe("hang")))
    assert (result.outcome, result.provider_code) == (Outcome.UNKNOWN, "timeout")


def test_a_push_service_that_is_away_has_nothing(provider, server):
    with WebPushStandIn() as gone:
        subscription = gone.subscribe()
    (result,) = send(provider, to(subscription))
    assert (result.outcome, result.error_code) == (Outcome.TRANSIENT, "not_reached")


def test_an_address_inside_our_network_is_never_called(provider, server, settings):
    settings.CALLBACK_ALLOW_PRIVATE = False
    (result,) = send(provider, to(server.subscribe()))
    assert (result.outcome, result.error_code, result.reason) == (Outcome.PERMANENT, "address_refused", "rejected")
    assert server.connection_count == 0


def test_the_largest_push_fits_and_a_larger_one_is_not_sent(provider, server):
    room = LARGEST - len(payload_of(to(server.subscribe())).encode()) + len("It is here.")
    fits, too_large = send(
        provider,
        to(server.subscribe(), said=words(body="x" * room)),
        to(server.subscribe(), said=words(body="x" * (room + 1))),
    )
    assert fits.outcome is Outcome.ACCEPTED
    assert (too_large.outcome, too_large.error_code) == (Outcome.PERMANENT, "payload_too_large")


def test_without_a_key_nothing_is_handed_over(settings):
    settings.VAPID_PRIVATE_KEY = settings.VAPID_SUBJECT = ""
    with pytest.raises(ProviderAway, match="VAPID_PRIVATE_KEY") as away:
        WebPushProvider().connect()
    assert away.value.outcome is Outcome.MISCONFIGURED


def test_the_key_is_checked_without_sending(provider, server):
    assert provider.check("").outcome is Outcome.ACCEPTED
    assert server.accepted == []
