"""How long things take. Tests shorten all leases and waits alike, so that their order stays what it is."""

from datetime import timedelta

from django.conf import settings


def scaled(usual: timedelta) -> timedelta:
    """This long, or in tests DELIVERY_TIME_SCALE times shorter."""
    scale: int = settings.DELIVERY_TIME_SCALE
    return usual / scale
