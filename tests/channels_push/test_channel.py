"""From recipient and words to one message per device."""

import dataclasses
import uuid

import pytest

from channels_push import channel as channel_module
from channels_push.channel import PushChannel
from channels_push.message import PushMessage
from channels_push.providers.capture import CaptureProvider
from gateway.channel_contract import Order, Refusal, UnknownProvider
from templates_app.rendering import RenderedPush
from users.recipients import CategoryRules, DeviceTarget, Recipient

WORDS = RenderedPush(title="Hello", body="Your parcel is here.", image="", link="", data={})
UPDATES = CategoryRules(
    code="updates", name="Updates", is_mandatory=False, is_marketing=False, ignores_quiet_hours=False
)


def a_target(name: str) -> DeviceTarget:
    return DeviceTarget(id=uuid.uuid4(), provider="fcm", kind="token", platform="ios", token=f"token-{name}", name=name)


@pytest.fixture(autouse=True)
def services(settings):
    settings.PUSH_PROVIDERS = ["fcm", "capture"]


def an_order(*devices: DeviceTarget, settled: frozenset[uuid.UUID] = frozenset()) -> Order:
    recipient = Recipient(
        id=uuid.uuid4(),
        public_id="user-ann",
        name="Ann",
        email="",
        locale="en",
        timezone="UTC",
        is_active=True,
        devices=devices,
    )
    return Order(
        notification_id=uuid.uuid4(),
        message_id="n-1",
        correlation_id="c-1",
        recipient=recipient,
        words=WORDS,
        locale="en",
        category=UPDATES,
        settled_devices=settled,
    )


def test_every_device_gets_a_message_of_its_own():
    phone, tablet = a_target("Phone"), a_target("Tablet")
    order = an_order(phone, tablet)
    messages = PushChannel().build(order)
    assert messages == [
        PushMessage(
            notification_id=order.notification_id,
            device_id=device.id,
            message_id="n-1",
            correlation_id="c-1",
            device=device,
            words=WORDS,
        )
        for device in (phone, tablet)
    ]


def test_devices_with_a_final_answer_get_nothing_more():
    phone, tablet = a_target("Phone"), a_target("Tablet")
    (message,) = PushChannel().build(an_order(phone, tablet, settled=frozenset({phone.id})))
    assert message.device == tablet


@pytest.mark.parametrize("is_settled", [False, True])
def test_without_a_device_left_there_is_no_message(is_settled):
    phone = a_target("Phone")
    order = an_order(phone, settled=frozenset({phone.id})) if is_settled else an_order()
    assert PushChannel().build(order) == Refusal(reason="no_device", data={"name": "Ann"})


def test_the_providers_are_those_of_the_settings_in_their_order(settings):
    settings.PUSH_PROVIDERS = ["fcm", "capture"]
    assert PushChannel().provider_names() == ["fcm", "capture"]


def test_each_load_gives_a_provider_of_its_own():
    first, second = PushChannel().load_provider("capture"), PushChannel().load_provider("capture")
    assert isinstance(first, CaptureProvider)
    assert first is not second


def test_an_unknown_provider_is_named_with_those_there_are():
    with pytest.raises(UnknownProvider, match=r"'pigeon' is no push provider; there are .*capture"):
        PushChannel().load_provider("pigeon")


@pytest.mark.parametrize("name", list(channel_module.PROVIDERS))
def test_every_provider_of_the_table_exists_and_knows_its_name(name):
    assert PushChannel().load_provider(name).name == name


def test_a_device_belongs_to_its_service_and_capture_takes_what_is_left(settings):
    phone = a_target("Phone")
    browser = dataclasses.replace(a_target("Browser"), provider="webpush")
    messages = PushChannel().build(an_order(phone, browser))
    assert [PushChannel().carriers(each) for each in messages] == [("fcm",), ("capture",)]
    settings.PUSH_PROVIDERS = ["fcm"]
    assert [each.device for each in PushChannel().build(an_order(phone, browser))] == [phone]
