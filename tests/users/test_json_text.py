"""How values look as JSON."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import models
from django.utils.translation import gettext_lazy

from users.json_text import rfc3339, to_json


class Colour(models.TextChoices):
    RED = "red", "Red"


def test_moments_are_shown_in_utc_with_milliseconds():
    berlin = timezone(timedelta(hours=1))

    assert rfc3339(datetime(2026, 11, 22, 11, 15, tzinfo=berlin)) == "2026-11-22T10:15:00.000Z"
    assert rfc3339(datetime(2026, 11, 22, 10, 15, 0, 123_999, tzinfo=UTC)) == "2026-11-22T10:15:00.123Z"


def test_a_moment_without_a_zone_is_a_mistake_of_ours():
    with pytest.raises(TypeError, match="time zone"):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001  that is the point


def test_all_our_values_have_a_form():
    number = uuid.UUID("019a0000-0000-7000-8000-000000000000")
    value = {
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "day": date(2026, 1, 1),
        "id": number,
        "lazy": gettext_lazy("Our fault"),
        "colour": Colour.RED,
        "price": Decimal("1.50"),
        "set": {"b", "a"},
        "text": "ö\u2028",
    }

    assert json.loads(to_json(value)) == {
        "at": "2026-01-01T00:00:00.000Z",
        "day": "2026-01-01",
        "id": str(number),
        "lazy": "Our fault",
        "colour": "red",
        "price": "1.50",
        "set": ["a", "b"],
        "text": "ö\u2028",
    }


def test_integers_of_any_size_come_back_whole_beside_all_other_values():
    value = {"big": 2**70, "at": datetime(2026, 1, 1, tzinfo=UTC), "name": "Jörg"}

    assert to_json(value) == '{"big":1180591620717411303424,"at":"2026-01-01T00:00:00.000Z","name":"Jörg"}'.encode()


def test_what_has_no_form_is_a_mistake_of_ours():
    with pytest.raises(TypeError):
        to_json({"a": object()})
