"""Captured pushes are about a person too. Named in the setting PERSONAL_DATA."""

from typing import Any

from channels_push.models import CapturedPush
from users.models import User

#: What the export tells of one.
_TOLD = ("device_name", "platform", "title", "body", "image", "link", "data", "captured_at")


class CapturedPushesOfPerson:
    """Implements `users.privacy.PersonalData`."""

    name = "captured_pushes"

    def export(self, person: User) -> list[dict[str, Any]]:
        """Oldest first."""
        rows = CapturedPush.objects.filter(notification__user_id=person.pk).order_by("pk")
        return [{name: getattr(each, name) for name in _TOLD} for each in rows.iterator(chunk_size=500)]

    def erase(self, person: User) -> int:
        """They are deleted."""
        return CapturedPush.objects.filter(notification__user_id=person.pk).delete()[0]
