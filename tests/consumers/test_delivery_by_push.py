"""A batch to the devices of people, each by the service it belongs to: one attempt for each, one status for all."""

import json
from datetime import timedelta

import pytest

from channels_push.channel import PushChannel
from channels_push.standins.fcm import FcmStandIn
from channels_push.standins.webpush import WebPushStandIn
from consumers.delivery import Delivery
from gateway import provider_states
from gateway.channel_contract import Outcome
from gateway.statuses import Status
from tests.channels_push.push_scene import use_fcm, use_webpush
from tests.consumers.engine import RULES, a_template, attempts_of, breakers_of, make_due, now_as, submit
from tests.factories import DeviceFactory, UserFactory
from users.channels import Channel
from users.models import Device

pytestmark = pytest.mark.django_db


@pytest.fixture
def firebase(settings):
    with FcmStandIn() as server:
        use_fcm(settings, server)
        yield server


@pytest.fixture
def browsers(settings):
    use_webpush(settings)
    settings.CALLBACK_ALLOW_HTTP = settings.CALLBACK_ALLOW_PRIVATE = True
    with WebPushStandIn() as server:
        yield server


@pytest.fixture
def delivery(settings, journals, firebase, browsers):
    settings.PUSH_PROVIDERS = ["fcm", "webpush"]
    channel = PushChannel()
    made = Delivery(channel, holder="consumer-1", journal_folder=journals, rules=RULES, breakers=breakers_of(channel))
    yield made
    made.close()


@pytest.fixture
def words():
    return a_template(Channel.PUSH)


def a_person(*devices):
    """`devices`: what the phone's token asks for, or a subscription of a browser."""
    person = UserFactory()
    for number, each in enumerate(devices):
        if isinstance(each, dict):
            DeviceFactory(
                user=person,
                provider="webpush",
                kind="subscription",
                platform="web",
                token=json.dumps(each),
                name="Browser",
            )
        else:
            DeviceFactory(user=person, token=f"ask.{each or 'nothing'}.{number}-{person.pk}")
    return person


def sent_to(delivery, person, template):
    notification = submit(person, template, channel=Channel.PUSH)
    delivery.deliver([notification.pk])
    return notification


def story(notification):
    return [(each.provider, each.outcome) for each in attempts_of(notification)]


def test_each_device_is_reached_by_its_own_service(delivery, firebase, browsers, words):
    person = a_person("", browsers.subscribe())
    DeviceFactory(user=person, provider="onesignal", token="0b7c2a8e-0000-4000-8000-000000000000")  # not configured
    notification = sent_to(delivery, person, words)
    assert now_as(notification).status == Status.SENT
    assert sorted(story(notification)) == [("fcm", Outcome.ACCEPTED), ("webpush", Outcome.ACCEPTED)]
    assert (firebase.accepted_count, len(browsers.accepted)) == (1, 1)


def test_one_device_that_takes_it_is_enough(delivery, firebase, browsers, words):
    notification = sent_to(delivery, a_person("UNREGISTERED", browsers.subscribe()), words)
    row = now_as(notification)
    assert (row.status, row.reason_data["provider"]) == (Status.SENT, "webpush")
    gone, works = Device.objects.order_by("provider")
    assert (gone.is_active, gone.inactive_reason, works.is_active) == (False, "unregistered", True)


def test_a_bad_message_switches_no_device_off(delivery, firebase, browsers, words):
    notification = sent_to(delivery, a_person("INVALID_ARGUMENT", browsers.subscribe("413")), words)
    assert now_as(notification).status == Status.FAILED
    assert Device.objects.filter(is_active=True).count() == 2


def test_only_devices_that_are_still_open_are_tried_again(delivery, firebase, browsers, words):
    person = a_person("UNREGISTERED", browsers.subscribe("503"))
    notification = sent_to(delivery, person, words)
    assert (now_as(notification).status, now_as(notification).reason) == (Status.ACCEPTED, "retrying")
    browsers._subscribers = {
        name: each.__class__(each.key, each.secret, "") for name, each in browsers._subscribers.items()
    }
    make_due(notification)
    delivery.deliver([notification.pk])
    assert now_as(notification).status == Status.SENT
    assert sorted(story(notification)) == [
        ("fcm", Outcome.PERMANENT),
        ("webpush", Outcome.ACCEPTED),
        ("webpush", Outcome.TRANSIENT),
    ]


def test_while_one_service_is_paused_its_devices_stay_open(delivery, firebase, browsers, words):
    provider_states.introduce("push", ["fcm", "webpush"])
    provider_states.force("webpush", "open", who="Olga", why="maintenance")
    notification = sent_to(delivery, a_person("UNREGISTERED", browsers.subscribe()), words)
    assert now_as(notification).status == Status.ACCEPTED
    assert story(notification) == [("fcm", Outcome.PERMANENT)]
    assert browsers.accepted == []


def test_nobody_with_only_devices_of_other_services_is_called_unreachable_quietly(delivery, settings, words):
    settings.PUSH_PROVIDERS = ["fcm"]
    person = UserFactory()
    DeviceFactory(user=person, provider="onesignal", token="0b7c2a8e-0000-4000-8000-000000000000")
    assert (row := now_as(sent_to(delivery, person, words))).status == Status.SUPPRESSED
    assert row.reason == "no_device"


def test_a_token_of_another_project_stops_nobody_else(delivery, firebase, browsers, words):
    foreign = sent_to(delivery, a_person("SENDER_ID_MISMATCH"), words)
    fine = sent_to(delivery, a_person(""), words)
    row = now_as(foreign)
    assert (row.status, row.reason, now_as(fine).status) == (Status.ACCEPTED, "provider_auth", Status.SENT)
    assert row.available_at - row.updated_at > timedelta(minutes=50)
    assert provider_states.read_all("push")[0].word == "closed"


def test_a_wrong_key_pauses_the_service_at_once(delivery, firebase, browsers, words):
    sent_to(delivery, a_person("PERMISSION_DENIED"), words)
    waiting = now_as(sent_to(delivery, a_person(""), words))
    assert (waiting.status, waiting.reason) == (Status.ACCEPTED, "breaker_open")
    assert firebase.accepted_count == 0


def test_a_cut_connection_is_a_doubt(delivery, firebase, browsers, words):
    assert now_as(sent_to(delivery, a_person("lost"), words)).status == Status.UNKNOWN
