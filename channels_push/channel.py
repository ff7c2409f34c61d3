"""The push channel: devices and words in, messages out; the table of its providers."""

from collections.abc import Mapping

from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from channels_push import service_settings
from channels_push.message import PushMessage
from gateway.channel_contract import NewsPlace, Order, Provider, Refusal, UnknownProvider
from gateway.provider_order import CAPTURE, order_known, provider_order
from gateway.provider_settings import WEBHOOK_SECRET, ProviderField
from gateway.service_key import read_service_key
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
#: What they need to know.
FIELDS: dict[str, tuple[ProviderField, ...]] = {
    "fcm": (
        ProviderField(
            setting="FCM_CREDENTIALS",
            label=_("Service account"),
            help=_("The JSON file of Firebase console, Project settings, Service accounts, Generate new private key."),
            is_secret=True,
            is_long=True,
            read=service_settings.read_service_account_json,
            hint=service_settings.service_account_hint,
        ),
    ),
    "onesignal": (
        ProviderField(
            setting="ONESIGNAL_APP_ID", label=_("App ID"), help=_("OneSignal, Settings, Keys & IDs: OneSignal App ID.")
        ),
        ProviderField(
            setting="ONESIGNAL_API_KEY",
            label=_("API key"),
            help=_("OneSignal, Settings, Keys & IDs: an App API key. It is shown once, when it is made."),
            is_secret=True,
            read=read_service_key,
        ),
        WEBHOOK_SECRET,
    ),
    "webpush": (
        ProviderField(
            setting="VAPID_PRIVATE_KEY",
            label=_("Private key (VAPID)"),
            help=_(
                "“manage.py make_vapid_key” makes one. Keep it for good: with another key every browser has to "
                "subscribe anew."
            ),
            is_secret=True,
            read=service_settings.read_vapid_key,
        ),
        ProviderField(
            setting="VAPID_SUBJECT",
            label=_("Contact"),
            help=_("Whom a push service can ask about our pushes: mailto:ops@example.com or an https:// address."),
            read=service_settings.read_vapid_subject,
        ),
    ),
}


class PushChannel:
    """Implements `gateway.channel_contract.Channel`."""

    name = Channel.PUSH.value

    def provider_fields(self) -> Mapping[str, tuple[ProviderField, ...]]:
        """Every provider there is for this channel, in use or not, and what each needs to know."""
        return {name: FIELDS.get(name, ()) for name in PROVIDERS}

    def provider_names(self) -> list[str]:
        """The configured providers, in order of preference."""
        return list(provider_order(self.name).names)

    def news_places(self) -> Mapping[str, NewsPlace]:
        """None: push services tell by webhooks, devices by receipts."""
        return {}

    def load_provider(self, name: str) -> Provider:
        """A fresh instance of a provider. Raises `UnknownProvider`."""
        if name == SIMULATOR:
            return SimulatorProvider(self.name)
        if name not in PROVIDERS:
            raise UnknownProvider(f"{name!r} is no push provider; there are {', '.join(PROVIDERS)}.")
        provider: Provider = import_string(PROVIDERS[name])()
        return provider

    def carriers(self, message: PushMessage) -> tuple[str, ...]:
        """A device belongs to one service; capture takes those of services that are not in use."""
        return (SIMULATOR,) if message.simulated_as else carriers_of(message.device)

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
    """Its own service, where PUSH_PROVIDERS names it, else capture; none where that is not named either.

    What waits for its service must not end in the inbox, where nobody gets it, while the service is away.
    """
    names = order_known(Channel.PUSH.value).names
    return next(((name,) for name in (device.provider, CAPTURE) if name in names), ())
