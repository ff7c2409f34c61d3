"""Shapes of what devices and services tell us."""

from typing import Any

from rest_framework import serializers

from channels_push.news import REPORTS
from users.strict_serializers import OneOf, PlainText, StrictSerializer


class ReceiptSerializer(StrictSerializer):
    """What a device reports of a push it has."""

    receipt = PlainText(max_length=200, help_text="As it stands in the push's `data`.")
    event = OneOf(sorted(REPORTS))


class WebPushKeySerializer(serializers.Serializer[Any]):
    """What a browser needs to subscribe."""

    public_key = serializers.CharField()
