"""Use cases: when a person wants silence. What waits for it is decided again at once."""

from collections.abc import Collection
from datetime import datetime, time

from django.db import transaction

from users.changed_wishes import note_changed
from users.channels import Channel
from users.models import QuietHours, User
from users.quiet_hours import EVERY_DAY, QuietWindow, quiet_until


@transaction.atomic
def set_quiet_hours(
    *,
    user: User,
    start: time,
    end: time,
    timezone: str = "",
    days: Collection[int] = EVERY_DAY,
    channels: Collection[str] = (),
    is_enabled: bool = True,
) -> QuietHours:
    """Set them anew, whatever they were. Without `timezone` they follow the person's; no `channels` means all."""
    every_channel = not channels or set(channels) >= set(Channel.values)
    hours, _ = QuietHours.objects.update_or_create(
        user=user,
        defaults={
            "start": start,
            "end": end,
            "timezone": timezone,
            "days": [] if set(days) == EVERY_DAY else sorted(days),
            "channels": [] if every_channel else sorted(channels),
            "is_enabled": is_enabled,
        },
    )
    note_changed(user.pk)
    return hours


@transaction.atomic
def clear_quiet_hours(*, user: User) -> None:
    """No silence any more. Repeatable."""
    deleted, _ = QuietHours.objects.filter(user=user).delete()
    if deleted:
        note_changed(user.pk)
        user.has_changed()


def window_of(hours: QuietHours, persons_zone: str) -> QuietWindow:
    """As the rule of quiet hours takes it, whether or not they are enabled."""
    return QuietWindow(
        start=hours.start,
        end=hours.end,
        timezone=hours.timezone or persons_zone,
        days=frozenset(hours.days) or EVERY_DAY,
        channels=frozenset(hours.channels),
    )


def silence_now(hours: QuietHours, persons_zone: str, *, now: datetime) -> datetime | None:
    """Until when it is quiet, on any of its channels; None when it is not."""
    window = window_of(hours, persons_zone)
    if not hours.is_enabled:
        return None
    return quiet_until(window, channel=next(iter(window.channels), Channel.EMAIL), now=now)
