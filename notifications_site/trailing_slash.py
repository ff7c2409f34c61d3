"""Middleware: API paths answer with and without the slash at their end, for every method and never by redirect."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import is_valid_path

PREFIXES = ("/api/", "/health", "/livez", "/readyz", "/metrics", "/webhooks/", "/unsubscribe/")


class TrailingSlashMiddleware:
    """A redirect would turn a POST into a GET for many clients, and cost all of them a second request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Where only the other form is a route, that one is taken. `request.path` stays as the client wrote it."""
        path = request.path_info
        if path.startswith(PREFIXES) and not path.endswith("//") and not is_valid_path(path):
            other = path.removesuffix("/") if path.endswith("/") else path + "/"
            if is_valid_path(other):
                request.path_info = other
        return self.get_response(request)
