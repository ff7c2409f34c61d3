"""Times in the admin are those of the reader."""

from datetime import UTC, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from notifications_site.staff_timezone import StaffTimezoneMiddleware, zone_of

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def show(request):
    return HttpResponse(Template("{{ moment|date:'H:i' }}").render(Context({"moment": NOON})))


def shown_to(user, address="/admin/"):
    request = RequestFactory().get(address)
    request.user = user
    return StaffTimezoneMiddleware(show)(request).content.decode()


def staff(zone):
    return SimpleNamespace(is_authenticated=True, timezone=zone)


def test_the_admin_shows_the_readers_time():
    assert shown_to(staff("Asia/Kolkata")) == "17:30"
    assert shown_to(staff("America/New_York")) == "07:00"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "America", "Europe/Berlin\x00"])
def test_an_unknown_zone_is_utc(zone):
    assert shown_to(staff(zone)) == "12:00"
    assert zone_of(zone) is UTC


def test_before_the_sign_in_it_is_utc():
    assert shown_to(AnonymousUser()) == "12:00"


def test_everything_else_speaks_utc():
    assert shown_to(staff("Asia/Kolkata"), "/api/docs") == "12:00"
    assert shown_to(staff("Asia/Kolkata"), "/administration/") == "12:00"


def test_the_zone_is_taken_back_afterwards():
    def fail(request):
        raise RuntimeError

    shown_to(staff("Asia/Kolkata"))
    request = RequestFactory().get("/admin/")
    request.user = staff("Asia/Kolkata")
    with pytest.raises(RuntimeError):
        StaffTimezoneMiddleware(fail)(request)

    assert timezone.get_current_timezone() == ZoneInfo("UTC")


def test_outside_the_admin_nobody_is_asked_for():
    # Whoever looked at `user` would cost every API request a session lookup.
    request = RequestFactory().get("/api/v1/")

    assert StaffTimezoneMiddleware(show)(request).status_code == 200
