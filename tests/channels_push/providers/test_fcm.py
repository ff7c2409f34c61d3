"""Firebase Cloud Messaging over real connections: what leaves, and what every answer means."""

import json
from datetime import timedelta

import pytest
from firebase_admin import messaging

from channels_push.fcm_access import fcm_access
from channels_push.fcm_answers import MEANINGS
from channels_push.fcm_message import LARGEST
from channels_push.providers.fcm import FcmProvider
from channels_push.receipts import read_receipt
from channels_push.standins.fcm import ANSWERS, FcmStandIn
from gateway import http_window, metrics
from gateway.channel_contract import Outcome, ProviderAway
from tests.channels_push.push_scene import a_push, an_account, use_fcm, words


@pytest.fixture
def server(settings):
    with FcmStandIn() as server:
        use_fcm(settings, server)
        yield server


@pytest.fixture
def provider(server):
    provider = FcmProvider()
    yield provider
    provider.close()


def send(provider, *messages):
    provider.connect()
    return list(provider.send(messages))


def asking_for(answer, **how):
    return a_push(f"ask.{answer}.1", **how)


def test_a_push_carries_words_data_and_what_its_platform_needs(provider, server):
    said = words(
        image="https://shop.example/p.png",
        link="https://shop.example/o/1",
        data={"order": "1", "_badge": "3", "_sound": "bell.caf", "_tag": "order-1"},
        actions=({"action": "track", "title": "Track", "link": "https://shop.example/t/1"},),
    )
    pushes = [
        a_push(
            f"token-{platform}-0001",
            platform=platform,
            said=said,
            priority=8,
            time_to_live=timedelta(hours=1, milliseconds=7),
        )
        for platform in ("android", "ios", "web")
    ]
    assert [each.outcome for each in send(provider, *pushes)] == [Outcome.ACCEPTED] * 3
    android, ios, web = sorted(server.accepted, key=lambda each: each["token"])
    for push, taken in zip(pushes, (android, ios, web), strict=True):
        assert taken["notification"] == {
            "title": "Your parcel",
            "body": "It is here.",
            "image": "https://shop.example/p.png",
        }
        assert taken["data"].keys() == {"order", "link", "notification_id", "receipt"}
        proof = read_receipt(taken["data"]["receipt"])
        assert (proof.notification_id, proof.device_id) == (push.notification_id, push.device_id)
    assert android["android"] == {
        "collapse_key": "order-1",
        "priority": "high",
        "ttl": "3600s",
        "notification": {"tag": "order-1", "sound": "bell.caf", "notification_count": 3},
    }
    assert ios["apns"]["payload"] == {
        "aps": {
            "alert": {"title": "Your parcel", "body": "It is here."},
            "badge": 3,
            "sound": "bell.caf",
            "mutable-content": 1,
        }
    }
    assert ios["apns"]["headers"]["apns-priority"] == "10"
    assert ios["apns"]["headers"]["apns-collapse-id"] == "order-1"
    assert web["webpush"]["headers"] == {"TTL": "3600", "Urgency": "high"}
    assert web["webpush"]["notification"]["actions"] == [{"action": "track", "title": "Track"}]
    assert web["webpush"]["fcm_options"] == {"link": "https://shop.example/o/1"}


def test_what_we_send_is_what_firebases_own_library_sends(provider, server):
    push = a_push()
    send(provider, push)
    theirs = messaging.Message(
        fid="x", data=dict(push.data), notification=messaging.Notification("Your parcel", "It is here.")
    )
    expected = json.loads(str(theirs))
    taken = server.accepted[0]
    assert {name: taken[name] for name in ("data", "notification")} == {
        name: expected[name] for name in ("data", "notification")
    }


def test_an_installation_id_goes_by_its_own_name(provider, server):
    send(provider, a_push("fid-00000001", kind="fid"))
    assert server.accepted[0]["fid"] == "fid-00000001"
    assert "token" not in server.accepted[0]


@pytest.mark.parametrize(
    ("answer", "outcome", "error_code", "reason", "wait"),
    [
        ("UNREGISTERED", Outcome.PERMANENT, "unregistered", "token_invalid", None),
        ("INVALID_TOKEN", Outcome.PERMANENT, "no_token", "token_invalid", None),
        ("INVALID_ARGUMENT", Outcome.PERMANENT, "message_refused", "rejected", None),
        ("TOO_BIG", Outcome.PERMANENT, "message_refused", "rejected", None),
        ("SENDER_ID_MISMATCH", Outcome.MISCONFIGURED, "sender_mismatch", "rejected", 3600),
        ("THIRD_PARTY_AUTH_ERROR", Outcome.MISCONFIGURED, "third_party_auth", "rejected", 600),
        ("PERMISSION_DENIED", Outcome.MISCONFIGURED, "access_denied", "rejected", None),
        ("NOT_FOUND", Outcome.MISCONFIGURED, "project_unknown", "rejected", None),
        ("QUOTA_EXCEEDED", Outcome.THROTTLED, "too_fast", "rejected", 30),
        ("QUOTA_WITHOUT_WAIT", Outcome.THROTTLED, "too_fast", "rejected", 60),
        ("UNAVAILABLE", Outcome.TRANSIENT, "service_trouble", "rejected", 7),
        ("INTERNAL", Outcome.TRANSIENT, "service_trouble", "rejected", None),
        ("BAD_GATEWAY", Outcome.TRANSIENT, "service_trouble", "rejected", None),
        ("DEADLINE_EXCEEDED", Outcome.UNKNOWN, "no_answer", "rejected", None),
        ("NEW_CODE", Outcome.TRANSIENT, "unknown_answer", "rejected", None),
        ("reset", Outcome.UNKNOWN, "no_answer", "rejected", None),
        ("lost", Outcome.UNKNOWN, "no_answer", "rejected", None),
        ("half", Outcome.UNKNOWN, "no_answer", "rejected", None),
    ],
)
def test_every_answer_means_what_it_says(provider, server, answer, outcome, error_code, reason, wait):
    fine, asked, also_fine = send(provider, a_push(), asking_for(answer), a_push())
    assert (asked.outcome, asked.error_code, asked.reason) == (outcome, error_code, reason)
    assert asked.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert asked.detail
    assert fine.outcome == also_fine.outcome == Outcome.ACCEPTED


def test_an_answer_in_no_table_is_counted(provider, server):
    count = metrics.UNKNOWN_ANSWERS.labels("push", "fcm")._value
    before = count.get()
    send(provider, asking_for("NEW_CODE"))
    assert count.get() == before + 1


def test_every_documented_code_has_a_meaning_and_misconfigurations_a_remedy():
    codes = {
        each.body["error"].get("details", [{}])[0].get("errorCode") or each.body["error"]["status"]
        for name, each in ANSWERS.items()
        if isinstance(each.body, dict) and name != "NEW_CODE"
    }
    assert codes <= set(MEANINGS)
    assert all(each.remedy for each in MEANINGS.values() if each.outcome is Outcome.MISCONFIGURED)


@pytest.mark.parametrize("act", ["hang", "drip"])
def test_an_answer_that_does_not_come_in_time_is_a_doubt(provider, server, monkeypatch, act):
    monkeypatch.setattr(http_window.HttpWindow.__init__, "__kwdefaults__", {"width": 2, "within": timedelta(seconds=1)})
    (result,) = send(provider, asking_for(act))
    assert (result.outcome, result.provider_code) == (Outcome.UNKNOWN, "timeout")


def test_answers_come_in_order_whichever_is_ready_first(provider, server):
    asked = [asking_for("delay-60"), asking_for("UNREGISTERED"), *[a_push(f"token-{n:08}") for n in range(40)]]
    results = send(provider, *asked)
    assert [each.error_code for each in results[:3]] == ["", "unregistered", ""]
    assert server.accepted_count == 41
    assert server.connection_count <= http_window.WIDTH + 1  # one more for the access token


def test_a_connection_is_kept_and_one_that_was_given_up_is_opened_anew(provider, server):
    send(provider, a_push())
    send(provider, a_push())
    assert server.connection_count == 2  # one for the access token
    server.cut_connections()
    assert [each.outcome for each in send(provider, a_push())] == [Outcome.ACCEPTED]
    assert server.connection_count == 3


def test_an_answer_nobody_waited_for_is_not_taken_for_the_next_one(provider, server):
    provider.connect()
    answers = provider.send([a_push("token-first-1"), asking_for("UNREGISTERED"), a_push("token-third-1")])
    next(answers)
    answers.close()
    (result,) = send(provider, a_push("token-other-1"))
    assert result.outcome is Outcome.ACCEPTED


def test_one_access_token_serves_everybody_until_firebase_wants_another(provider, server):
    send(provider, a_push())
    other = FcmProvider()
    send(other, a_push())
    other.close()
    assert server.token_count == 1
    server.tokens.clear()
    access = fcm_access(an_account(), f"{server.url}/token")
    access._fetched_at -= 120
    (result,) = send(provider, a_push())
    assert (result.outcome, result.error_code) == (Outcome.TRANSIENT, "access_expired")
    assert send(provider, a_push())[0].outcome is Outcome.ACCEPTED
    server.tokens.clear()
    assert send(provider, a_push())[0].outcome is Outcome.MISCONFIGURED


@pytest.mark.parametrize(
    ("answer", "outcome"), [("invalid_grant", Outcome.MISCONFIGURED), ("reset", Outcome.TRANSIENT)]
)
def test_without_an_access_token_nothing_is_handed_over(provider, server, answer, outcome):
    server.oauth_answer = answer
    with pytest.raises(ProviderAway) as away:
        provider.connect()
    assert away.value.outcome is outcome
    assert "PRIVATE KEY" not in str(away.value)


def test_an_access_token_that_ends_before_the_hand_over_leaves_no_doubt(provider, server):
    provider.connect()
    fcm_access(an_account(), f"{server.url}/token").forget()
    server.oauth_answer = "reset"
    results = list(provider.send([a_push(), a_push()]))
    assert [(each.outcome, each.error_code) for each in results] == [(Outcome.TRANSIENT, "not_handed_over")] * 2
    assert server.accepted_count == 0


def test_a_service_that_is_away_is_said_before_the_hand_over(settings, server):
    provider = FcmProvider()
    settings.FCM_URL = "http://127.0.0.1:9"
    with pytest.raises(ProviderAway) as away:
        provider.connect()
    assert away.value.outcome is Outcome.TRANSIENT
    settings.FCM_CREDENTIALS = {}
    with pytest.raises(ProviderAway, match="FCM_CREDENTIALS") as away:
        FcmProvider().connect()
    assert away.value.outcome is Outcome.MISCONFIGURED


def test_a_service_that_goes_away_in_the_middle_leaves_the_rest_for_another_try(provider, server):
    provider.connect()
    server.stop()
    results = list(provider.send([a_push(), a_push()]))
    assert [each.outcome for each in results] == [Outcome.TRANSIENT] * 2


def test_a_push_that_is_too_large_is_not_sent_and_the_words_say_what_to_do(provider, server):
    too_large, fine = send(provider, a_push(said=words(body="x" * (LARGEST + 1))), a_push())
    assert (too_large.outcome, too_large.error_code) == (Outcome.PERMANENT, "payload_too_large")
    assert "shorten" in too_large.detail
    assert fine.outcome is Outcome.ACCEPTED
    assert server.accepted_count == 1


def test_credentials_are_checked_without_sending(provider, server):
    assert provider.check("").error_code == "no_token"
    assert provider.check("token-00000001").outcome is Outcome.ACCEPTED
    assert server.accepted == []
