"""Use cases: register or move a device, change it, retire what no longer takes pushes."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Greatest, Now

from users.audit import note
from users.device_checks import Checked, ask_service, validate_token
from users.device_tokens import TokenRefused, check_token, read_subscription
from users.models import Device, User, token_hash

#: So many active devices a person has at most.
MOST_DEVICES = 20
#: An app that is used renews its token more often than this (FCM advises a month).
STALE_AFTER = timedelta(days=30)
#: FCM itself gives a token up after so long without its app.
RETIRED_AFTER = timedelta(days=270)
#: A success is not written down more often.
SUCCESS_NOTED_EVERY = timedelta(hours=1)
REPLACED, UNREGISTERED, EXPIRED, SWITCHED_OFF, INVALID = (
    "replaced",
    "unregistered",
    "expired",
    "switched_off",
    "invalid",
)
#: Registered or sent to, whichever came last.
USED_AT = Greatest("last_seen_at", Coalesce("last_success_at", "last_seen_at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The device, and whether its token was new to us."""

    device: Device
    is_new: bool
    #: What its service said, where that was asked for.
    validation: Checked | None = None


def register_device(
    *,
    user: User,
    provider: str,
    kind: str,
    platform: str,
    token: str,
    app_id: str | None = None,
    name: str | None = None,
    validate: bool = False,
) -> Registered:
    """Make a device this person's, whoever had it before: one row per token, however many register it at once.

    Beyond `MOST_DEVICES` the one unused for longest is switched off. `validate` asks its service first: raises
    `TokenRefused` when that says it is none.
    """
    validation = validate_token(provider=provider, kind=kind, token=token) if validate else None
    fresh = Device(
        user=user,
        provider=provider,
        kind=kind,
        platform=platform,
        token=token,
        token_hash=token_hash(provider, token),
        app_id=app_id or "",
        name=name or "",
    )
    with transaction.atomic():
        User.objects.select_for_update().values_list("pk").get(pk=user.pk)
        # Whoever is second waits here for the first one's commit, and then finds its row.
        Device.objects.bulk_create([fresh], ignore_conflicts=True)
        # Without its owner: joined, a row that has just moved would count as gone.
        device = Device.objects.select_for_update().get(token_hash=fresh.token_hash)
        is_new = device.pk == fresh.pk
        if not is_new:
            _take_over(device, fresh, app_id=app_id, name=name)
        _replace_beyond_limit(user, keep=device.pk)
        user.has_changed()
    return Registered(device=device, is_new=is_new, validation=validation)


def _take_over(device: Device, fresh: Device, *, app_id: str | None, name: str | None) -> None:
    """The known row says what was registered now; what was left out stays, unless it was somebody else's."""
    moved = device.user_id != fresh.user_id
    if moved:
        device.user.has_changed()
        device.user = fresh.user
    device.kind, device.platform, device.token = fresh.kind, fresh.platform, fresh.token
    device.app_id = fresh.app_id if moved or app_id is not None else device.app_id
    device.name = fresh.name if moved or name is not None else device.name
    device.is_active, device.inactive_reason, device.last_seen_at = True, "", Now()
    device.save()
    device.refresh_from_db(fields=["last_seen_at", "updated_at"])


def _replace_beyond_limit(user: User, *, keep: UUID) -> None:
    others = Device.objects.active().filter(user=user).exclude(pk=keep)
    # Skipped where somebody is just moving one of them away: then there is one less.
    beyond = others.order_by(USED_AT.desc(), "-id").select_for_update(skip_locked=True)[MOST_DEVICES - 1 :]
    _switch_off([each.pk for each in beyond], REPLACED)


def _switch_off(ids: Iterable[UUID], reason: str) -> int:
    active = Device.objects.active().filter(pk__in=list(ids))
    return active.update(is_active=False, inactive_reason=reason, updated_at=Now())


def change_device(device: Device, *, changes: Mapping[str, Any]) -> Device:
    """`name`, `app_id`, `is_active`. Whoever switches it on again has it among the person's devices at once."""
    with transaction.atomic():
        User.objects.select_for_update().values_list("pk").get(pk=device.user_id)
        for name, value in changes.items():
            setattr(device, name, value)
        if "is_active" in changes:
            device.inactive_reason = "" if device.is_active else SWITCHED_OFF
        device.save()
        if changes.get("is_active"):
            _replace_beyond_limit(device.user, keep=device.pk)
    return device


@transaction.atomic
def deactivate_device(*, device: Device, who: User | str, why: str, address: str = "") -> bool:
    """Switch it off by hand, until its app registers it again. Returns whether it was on."""
    if not _switch_off([device.pk], SWITCHED_OFF):
        return False
    device.user.has_changed()
    after = {"device": str(device), "is_active": False}
    note(who=who, what="device.deactivated", about=device.user, after=after, why=why, address=address)
    return True


def check_device(device: Device, *, now: datetime) -> Checked:
    """Shape, what its service says without a push, else age. A token that can be none is switched off."""
    try:
        _check_shape(device)
    except TokenRefused as refused:
        if device.is_active:
            device.is_active, device.inactive_reason = False, INVALID
            device.save()
        return Checked(result="invalid", detail=str(refused))
    if not device.is_active:
        return Checked(result="invalid", detail=f"It is switched off: {device.inactive_reason or SWITCHED_OFF}.")
    asked = ask_service(provider=device.provider, kind=device.kind, token=device.token)
    if asked and asked.result == "invalid":
        retire_devices([device.pk], reason=UNREGISTERED)
    return asked if asked and asked.result != "unknown" else _judged_by_age(device, now)


def _judged_by_age(device: Device, now: datetime) -> Checked:
    """Whether an app is still behind it only a push shows."""
    used_at = max(device.last_seen_at, device.last_success_at or device.last_seen_at)
    if now - used_at > STALE_AFTER:
        return Checked(result="unknown", detail=f"Its app has not been heard of for {(now - used_at).days} days.")
    if device.last_success_at and now - device.last_success_at <= STALE_AFTER:
        return Checked(result="valid", detail="A push was taken for it lately.")
    return Checked(result="unknown", detail="Its form is right; no push has shown yet that the app is there.")


def _check_shape(device: Device) -> None:
    if device.kind == Device.Kind.SUBSCRIPTION:
        read_subscription(json.loads(device.token))
    else:
        check_token(device.provider, device.token)


def retire_devices(ids: Collection[UUID], *, reason: str) -> int:
    """Switch off what a provider calls gone. Returns how many were on."""
    gone = list(Device.objects.active().filter(pk__in=ids).select_related("user"))
    count = _switch_off([each.pk for each in gone], reason)
    for each in gone:
        each.user.has_changed()
    return count


def note_successes(ids: Collection[UUID] | QuerySet[Any, Any]) -> None:
    """A provider took pushes for these. One statement, and not for each push of a busy device."""
    seldom = Device.objects.filter(pk__in=ids).exclude(last_success_at__gt=Now() - SUCCESS_NOTED_EVERY)
    seldom.update(last_success_at=Now())


def retire_unused(*, limit: int) -> int:
    """Switch off what nobody has heard of for `RETIRED_AFTER`. Returns how many."""
    before = Now() - RETIRED_AFTER
    unused = Device.objects.active().filter(last_seen_at__lt=before).exclude(last_success_at__gte=before)
    ids = list(unused.values_list("pk", flat=True)[:limit])
    return retire_devices(ids, reason=EXPIRED) if ids else 0
