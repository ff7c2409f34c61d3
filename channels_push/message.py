"""What a push provider is handed."""

from dataclasses import dataclass

from gateway.channel_contract import Message
from templates_app.rendering import RenderedPush
from users.recipients import DeviceTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMessage(Message):
    """One push to one device."""

    device: DeviceTarget
    words: RenderedPush
