"""/metrics of a web process, and the middleware that counts what it answers."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from consumers import metrics_page
from gateway.metrics import note_request
from gateway.problems import problem_response
from notifications_site.error_pages import READING, only_reading
from users.models import ApiKey, SignIn
from users.problems import Problem

#: Anybody may call a method what they like: a label may not be endless.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: Files, and what there is not.
NO_ROUTE = "none"


class MetricsMiddleware:
    """Stands right after the ids, so that nearly all of a request's time is measured."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Never the path itself, which holds ids: the pattern of its route."""
        began = time.perf_counter()
        response = self.get_response(request)
        found = request.resolver_match
        method = request.method or ""
        note_request(
            route=f"/{found.route}" if found else NO_ROUTE,
            method=method if method in METHODS else "other",
            status=response.status_code,
            key_type=key_type(request),
            seconds=time.perf_counter() - began,
        )
        return response


def key_type(request: HttpRequest) -> str:
    """Which kind of credentials a request to the API has shown: live, test, person, none."""
    shown = getattr(request, "auth", None)
    if isinstance(shown, ApiKey):
        return shown.mode
    return "person" if isinstance(shown, SignIn) else "none"


@csrf_exempt  # nothing is ever written here; a wrong method gets its 405
def metrics(request: HttpRequest) -> HttpResponse:
    """The text that Prometheus reads."""
    authorization = request.headers.get("Authorization", "")
    if code := metrics_page.refusal(authorization, address=request.META.get("REMOTE_ADDR")):
        return problem_response(Problem(code), request)
    if request.method not in READING:
        return only_reading(request)
    return HttpResponse(
        metrics_page.page_of_web(),
        content_type=metrics_page.CONTENT_TYPE,
        headers={"Cache-Control": "no-store"},
    )
