"""/health, /health/live, /health/ready of a web process; /livez and /readyz are other names of the last two."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from consumers import health_checks
from consumers.health_checks import Health
from notifications_site.error_pages import READING, only_reading
from users.json_text import to_json


@csrf_exempt  # nothing is ever written here; a wrong method gets its 405
def health(request: HttpRequest) -> HttpResponse:
    """Every check: 200 while requests are accepted, 503 without a database."""
    return _answer(request, lambda: health_checks.health(settings.SERVICE_ROLE))


@csrf_exempt
def live(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return _answer(request, health_checks.live)


@csrf_exempt
def ready(request: HttpRequest) -> HttpResponse:
    """It may be sent requests. A process that stops takes no connections any more, which says it as well."""
    return _answer(request, health_checks.ready)


def _answer(request: HttpRequest, check: Callable[[], Health]) -> HttpResponse:
    if request.method not in READING:
        return only_reading(request)
    found = check()
    return HttpResponse(
        to_json(found.body),
        status=found.status_code,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
