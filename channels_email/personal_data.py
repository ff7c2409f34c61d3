"""Captured mails are about a person too. Named in the setting PERSONAL_DATA."""

from typing import Any

from channels_email.models import CapturedEmail
from users.models import User

#: What the export tells of one.
_TOLD = ("to", "subject", "captured_at")


class CapturedEmailsOfPerson:
    """Implements `users.privacy.PersonalData`."""

    name = "captured_emails"

    def export(self, person: User) -> list[dict[str, Any]]:
        """Oldest first."""
        rows = CapturedEmail.objects.filter(notification__user_id=person.pk).order_by("pk").defer("source")
        return [{name: getattr(each, name) for name in _TOLD} for each in rows.iterator(chunk_size=500)]

    def erase(self, person: User) -> int:
        """They are deleted."""
        return CapturedEmail.objects.filter(notification__user_id=person.pk).delete()[0]
