"""What a push provider is handed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from channels_push.receipts import receipt_for
from gateway import priorities
from gateway.channel_contract import Message
from templates_app.rendering import RenderedPush
from users.recipients import DeviceTarget

#: Names of `data` that begin so are for the push service, not for the app: _badge, _sound, _tag.
FOR_THE_SERVICE = "_"
LARGEST_BADGE = 99_999


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMessage(Message):
    """One push to one device."""

    device: DeviceTarget
    words: RenderedPush
    #: 0 to 10 (gateway/priorities.py).
    priority: int = 5
    #: For so long a service keeps it for a device that is away.
    time_to_live: timedelta = timedelta(hours=72)

    @property
    def is_urgent(self) -> bool:
        """Wakes a sleeping phone."""
        return self.priority >= priorities.URGENT_FROM

    @property
    def tag(self) -> str:
        """A later push with the same tag replaces it; by itself a repeated one replaces its first copy."""
        return self.words.data.get("_tag") or str(self.notification_id)

    @property
    def sound(self) -> str:
        """A file of the app; `default` is the phone's own, nothing is silent."""
        return self.words.data.get("_sound", "default")

    @property
    def badge(self) -> int | None:
        """The number at the app's icon; None leaves it as it is, as does what is no number."""
        text = self.words.data.get("_badge", "").strip()
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_BADGE))
        return int(text) if is_number else None

    @property
    def data(self) -> Mapping[str, str]:
        """What the app gets besides the words, with what it needs to report back (docs/how_to/send_push.md)."""
        own = {name: value for name, value in self.words.data.items() if not name.startswith(FOR_THE_SERVICE)}
        ours = {
            "notification_id": str(self.notification_id),
            "receipt": receipt_for(notification_id=self.notification_id, device_id=self.device.id),
        }
        return own | ({"link": self.words.link} if self.words.link else {}) | ours
