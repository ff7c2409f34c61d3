"""Who has changed their wishes: noted in the transaction of the change, so that what waits is decided again.

`gateway/waiting.py` reads and clears the notes.
"""

from uuid import UUID

from django.db.models.functions import Now

from users.wish_models import ChangedWishes


def note_changed(user_id: UUID) -> None:
    """To be said by whoever changes a person's switches, quiet hours or time zone. One statement."""
    ChangedWishes.objects.bulk_create(
        [ChangedWishes(user_id=user_id, changed_at=Now())],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["changed_at"],
    )
