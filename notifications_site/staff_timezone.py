"""Middleware: the admin shows times in the zone of the person who reads them."""

import zoneinfo
from collections.abc import Callable
from datetime import UTC, tzinfo

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone


class StaffTimezoneMiddleware:
    """For /admin/ only: everything else speaks UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The zone holds for this request and is taken back afterwards: threads serve many people."""
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(zone_of(getattr(request.user, "timezone", ""))):
            return self.get_response(request)


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name; UTC for none and for names this machine does not know."""
    try:
        return zoneinfo.ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):  # unknown; no proper name; the name of a folder of zones
        return UTC
