"""The channels of this installation. They stand further up the house, so the setting CHANNELS names them."""

from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from gateway.channel_contract import Channel


@cache
def channels() -> "dict[str, Channel]":
    """Each channel by its name."""
    made: list[Channel] = [import_string(path)() for path in settings.CHANNELS]
    return {channel.name: channel for channel in made}
