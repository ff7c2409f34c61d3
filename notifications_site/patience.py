"""Middleware: how long a request waits for the database. Programs are soon told to come back, people may search."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway import database_patience
from gateway.problems import is_of_programs

OF_PEOPLE = timedelta(seconds=30)


class PatienceMiddleware:
    """Stands before all that asks the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The rest of the request, in so much time."""
        of_programs = timedelta(milliseconds=settings.DATABASE_PATIENCE_MS)
        with database_patience.at_most(of_programs if is_of_programs(request.path) else OF_PEOPLE):
            return self.get_response(request)
