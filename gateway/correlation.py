"""Middleware: one id for each HTTP exchange, one for the story it belongs to, in every answer and every log line."""

import logging
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

log = structlog.stdlib.get_logger(__name__)

_KEPT = re.compile(r"[A-Za-z0-9._-]{1,128}")
# W3C trace context: version, trace id, parent id, flags. Version ff and a trace id of zeros are invalid.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})(?P<trace_id>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
#: Asked every few seconds by machines, or part of a page: noted only with LOG_LEVEL=DEBUG.
QUIET_PATHS = ("/health", "/livez", "/readyz", "/metrics", "/start/", settings.STATIC_URL)
# An unsubscribe link is a credential: whoever has it may change a person's preferences.
_SECRET_IN_PATH = re.compile(r"(?<=^/unsubscribe/)[^/]+")


class CorrelationMiddleware:
    """Stands first, so that no answer leaves without its ids, not even one of another middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Puts the ids on the request, into the log context and on the answer."""
        request_id = kept(request.headers.get("X-Request-ID")) or str(uuid.uuid4())
        correlation_id = kept(request.headers.get("X-Correlation-ID")) or request_id
        request.request_id = request_id  # type: ignore[attr-defined]  # what a middleware adds, the stubs cannot know
        request.correlation_id = correlation_id  # type: ignore[attr-defined]
        ids = {"request_id": request_id, "correlation_id": correlation_id}
        if found := _TRACEPARENT.fullmatch(request.headers.get("traceparent", "")):
            ids["trace_id"] = found["trace_id"]
        structlog.contextvars.clear_contextvars()  # what a thread's last request left behind
        structlog.contextvars.bind_contextvars(**ids)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            response["X-Correlation-ID"] = correlation_id
            note(request, response.status_code, time.perf_counter() - began)
            return response
        finally:
            structlog.contextvars.clear_contextvars()


def kept(value: str | None) -> str | None:
    """An id of the caller's, if it may stand in headers, logs and columns as it is."""
    return value if value and _KEPT.fullmatch(value) else None


def note(request: HttpRequest, status: int, seconds: float) -> None:
    """One line for each request, without its query, which may hold anything."""
    everyday = logging.DEBUG if request.path.startswith(QUIET_PATHS) else logging.INFO
    log.log(
        logging.WARNING if status >= 500 else everyday,
        "Answered a request.",
        action="request",
        method=request.method,
        path=_SECRET_IN_PATH.sub("••••", request.path),
        status=status,
        duration_ms=round(seconds * 1000, 1),
    )


def correlation_id_of(request: HttpRequest | Request) -> str:
    """The id of the story this request belongs to."""
    return str(getattr(request, "correlation_id", ""))
