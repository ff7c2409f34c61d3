"""The shapes of requests and answers about wishes: switches, their history, quiet hours. No writes in here."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, time
from typing import Any, TypeVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from users.channels import Channel
from users.contact_fields import TimezoneField
from users.etags import etag_of
from users.models import ConsentEvent, QuietHours, User
from users.preferences import Wish, Wishes
from users.problems import FieldError, Problem
from users.quiet_hours import EVERY_DAY
from users.quiet_hours_setting import silence_now
from users.strict_serializers import JsonBoolean, OneOf, StrictSerializer, Wrong
from users.validation_findings import pointer

#: As the API calls the weekdays; Monday is 0, as in Python.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])")
Value = TypeVar("Value")


# --- switches ---------------------------------------------------------------------------------------------------------
def read_wish(body: Mapping[str, Any], *, known: Collection[str], replaces: bool) -> Wish:
    """What a body asks for, in the long form or the short one. `known` are the categories. Raises `Problem`."""
    errors: list[FieldError] = []
    short = {name: value for name, value in body.items() if name in Channel.values}
    long = {name: value for name, value in body.items() if name in ("channels", "categories")}
    errors += [_unknown(name) for name in body if name not in short and name not in long]
    if short and long:
        words = "Use channels and categories, or the channels alone; not both."
        errors += [FieldError(pointer(name), "invalid", words) for name in short]
    channels = _switches(short, (), errors) if short else _switches(long.get("channels"), ("channels",), errors)
    categories: dict[str, dict[str, bool | None]] = {}
    for code, by_channel in _object(long.get("categories"), ("categories",), errors).items():
        if code not in known:
            words = f"There is no such category. Use {', '.join(sorted(known))}."
            errors.append(FieldError(pointer("categories", code), "invalid_choice", words))
        categories[code] = _switches(by_channel, ("categories", code), errors)
    if errors:
        raise Problem("validation_error", errors=errors)
    set_channels = {channel: is_on for channel, is_on in channels.items() if is_on is not None}
    return Wish(channels=set_channels, categories=categories, replaces=replaces and not short)


def _switches(value: Any, place: tuple[str, ...], errors: list[FieldError]) -> dict[str, bool | None]:
    """By channel; what is no switch is found fault with and left out."""
    found: dict[str, bool | None] = {}
    for name, is_on in _object(value, place, errors).items():
        if name not in Channel.values:
            errors.append(_unknown(*place, name))
        elif is_on is not None and not isinstance(is_on, bool):
            errors.append(FieldError(pointer(*place, name), "invalid", "Use true or false."))
        else:
            found[name] = is_on
    return found


def _object(value: Any, place: tuple[str, ...], errors: list[FieldError]) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        errors.append(FieldError(pointer(*place), "invalid", "Use an object."))
        return {}
    return value


def _unknown(*place: str) -> FieldError:
    return FieldError(pointer(*place), "unknown_field", "There is no such field.")


class ChannelSwitchesSerializer(serializers.Serializer[Any]):
    """One switch per channel; null follows the channel."""

    email = serializers.BooleanField(allow_null=True, required=False)
    push = serializers.BooleanField(allow_null=True, required=False)


class EffectiveSerializer(serializers.Serializer[Any]):
    """What follows from the switches for one category."""

    email = serializers.BooleanField()
    push = serializers.BooleanField()
    locked = serializers.BooleanField()


class WishSerializer(serializers.Serializer[Any]):
    """What is to be changed; `{"email": false}` is short for `{"channels": {"email": false}}`."""

    channels = ChannelSwitchesSerializer(required=False)
    categories = serializers.DictField(child=ChannelSwitchesSerializer(), required=False)
    email = serializers.BooleanField(required=False)
    push = serializers.BooleanField(required=False)


class PreferencesSerializer(serializers.Serializer[Any]):
    """All switches of a person."""

    channels = serializers.DictField(child=serializers.BooleanField())
    categories = serializers.DictField(child=ChannelSwitchesSerializer())
    effective = serializers.DictField(child=EffectiveSerializer())
    updated_at = serializers.DateTimeField()


class ConsentSerializer(serializers.Serializer[Any]):
    """One line of the ledger; `from` and `to` are null where a category followed its channel."""

    at = serializers.DateTimeField()
    channel = serializers.CharField()
    category = serializers.CharField(allow_null=True)
    to = serializers.BooleanField(allow_null=True)
    by = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """`from` is no name in Python."""
        return super().get_fields() | {"from": serializers.BooleanField(allow_null=True)}


class ConsentListSerializer(serializers.Serializer[Any]):
    """A page of the ledger, newest first."""

    results = ConsentSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


def preferences_answer(person: User, wishes: Wishes) -> dict[str, Any]:
    """All switches of a person."""
    effective = {
        category.code: {channel: wishes.effective(category, channel) for channel in Channel.values}
        | {"locked": category.is_mandatory}
        for category in wishes.categories
    }
    return wishes.own | {"effective": effective, "updated_at": wishes.changed_at or person.created_at}


def preferences_tag(wishes: Wishes) -> str:
    """The ETag of a person's switches: of what they set, not of what follows from it."""
    return etag_of(wishes.own)


def consent_answer(event: ConsentEvent) -> dict[str, Any]:
    """One line of the ledger."""
    return {
        "at": event.at,
        "channel": event.channel,
        "category": event.category_code or None,
        "from": event.was,
        "to": event.became,
        "by": event.by,
    }


# --- quiet hours ------------------------------------------------------------------------------------------------------
@extend_schema_field({"type": "string", "example": "22:00"})
class ClockField(serializers.Field[time, Any, str, Any]):
    """A time on the wall: `22:00`."""

    default_error_messages = {"invalid": "Use a time such as 22:00."}

    def to_internal_value(self, data: Any) -> time:
        """Hours and minutes."""
        found = _CLOCK.fullmatch(data) if isinstance(data, str) else None
        if found is None:
            self.fail("invalid")
        return time(int(found["hour"]), int(found["minute"]))

    def to_representation(self, value: time) -> str:
        """As it is written."""
        return f"{value:%H:%M}"


def _some_of(choices: Collection[str]) -> serializers.ListField:
    return serializers.ListField(child=OneOf(choices=list(choices)), required=False, allow_null=True, allow_empty=False)


class QuietHoursRequestSerializer(StrictSerializer):
    """`PUT /api/v1/users/{user_id}/quiet-hours/`."""

    enabled = JsonBoolean(required=False, allow_null=True)
    start = ClockField()
    end = ClockField()
    timezone = TimezoneField(required=False, allow_null=True)
    days = _some_of(WEEKDAYS)
    channels = _some_of(Channel.values)

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """A silence has a length."""
        if "start" not in given or given["start"] != given.get("end"):
            return {}
        words = "This must differ from the start; 00:00 to 23:59 is nearly always."
        return {"end": [serializers.ErrorDetail(words, code="invalid")]}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As the use case takes them."""
        enabled = attrs.get("enabled")
        return {
            "is_enabled": True if enabled is None else enabled,
            "start": attrs["start"],
            "end": attrs["end"],
            "timezone": attrs.get("timezone") or "",
            "days": sorted({WEEKDAYS.index(day) for day in attrs.get("days") or WEEKDAYS}),
            "channels": attrs.get("channels") or Channel.values,
        }


class QuietHoursSerializer(serializers.Serializer[Any]):
    """When a person wants silence, and whether it is quiet now."""

    enabled = serializers.BooleanField()
    start = serializers.CharField(allow_null=True)
    end = serializers.CharField(allow_null=True)
    timezone = serializers.CharField()
    days = serializers.ListField(child=serializers.CharField())
    channels = serializers.ListField(child=serializers.CharField())
    quiet_now = serializers.BooleanField()
    quiet_until = serializers.DateTimeField(allow_null=True)


def quiet_hours_answer(person: User, hours: QuietHours | None, *, now: datetime) -> dict[str, Any]:
    """As the API shows them; `hours` is None where none were set."""
    until = silence_now(hours, person.timezone, now=now) if hours else None
    days = sorted(hours.days if hours and hours.days else EVERY_DAY)
    return {
        "enabled": bool(hours and hours.is_enabled),
        "start": f"{hours.start:%H:%M}" if hours else None,
        "end": f"{hours.end:%H:%M}" if hours else None,
        "timezone": (hours and hours.timezone) or person.timezone,
        "days": [WEEKDAYS[day] for day in days],
        "channels": [each for each in Channel.values if not (hours and hours.channels) or each in hours.channels],
        "quiet_now": until is not None,
        "quiet_until": until,
    }
