"""The push channel: devices and words in, messages out; the table of its providers."""

from django.conf import settings
from django.utils.module_loading import import_string

from channels_push.message import PushMessage
from gateway.channel_contract import Order, Provider, Refusal, UnknownProvider
from gateway.simulation import SIMULATOR, SimulatorProvider, push_word
from users.channels import Channel
from users.recipients import DeviceTarget

#: Dotted paths, so that a process never loads a vendor's library it does not use.
PROVIDERS = {
    "capture": "channels_push.providers.capture.CaptureProvider",
    "fcm": "channels_push.providers.fcm.FcmProvider",
    "onesignal": "channels_push.providers.onesignal.OneSignalProvider",
    "webpush": "channels_push.providers.webpush.WebPushProvider",
}
#: Takes every device's pushes.
CAPTURE = "capture"


class PushChannel:
    """Implements `gateway.channel_contract.Channel`."""

    name = Channel.PUSH.value

    def provider_names(self) -> list[str]:
        """The configured providers, in order of preference."""
        return list(settings.PUSH_PROVIDERS)

    def load_provider(self, name: str) -> Provider:
        """A fresh instance of a provider. Raises `UnknownProvider`."""
        if name == SIMULATOR:
            return SimulatorProvider(self.name)
        if name not in PROVIDERS:
            raise UnknownProvider(f"{name!r} is no push provider; there are {', '.join(PROVIDERS)}.")
        provider: Provider = import_string(PROVIDERS[name])()
        return provider

    def carriers(self, message: PushMessage) -> tuple[str, ...]:
        """A device belongs to one service; capture takes all but what is simulated."""
        if message.simulated_as:
            return (SIMULATOR,)
        return carriers_of(message.device)

    def build(self, order: Order) -> list[PushMessage] | Refusal:
        """One message per device that has no final answer yet."""
        devices = [device for device in order.recipient.devices if device.id not in order.settled_devices]
        words = {device.id: push_word(order, device) for device in devices}
        devices = [device for device in devices if words[device.id] or carriers_of(device)]
        if not devices:
            return Refusal(reason="no_device", data={"name": order.recipient.display_name})
        return [
            PushMessage(
                notification_id=order.notification_id,
                device_id=device.id,
                message_id=order.message_id,
                correlation_id=order.correlation_id,
                simulated_as=words[device.id],
                earlier_tries=order.earlier_tries,
                device=device,
                words=order.words,
                priority=order.priority,
                time_to_live=order.time_to_live,
            )
            for device in devices
        ]


def carriers_of(device: DeviceTarget) -> tuple[str, ...]:
    """Those of PUSH_PROVIDERS that can carry its pushes, in order; none for a service that is not configured."""
    return tuple(name for name in settings.PUSH_PROVIDERS if name in (device.provider, CAPTURE))
