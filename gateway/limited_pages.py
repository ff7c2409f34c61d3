"""Pages that are no API views, counted like them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.problems import program_or_person
from users.problems import Problem
from users.throttling import count


def limited(policy: str, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The page, which answers 429 to whoever asks too often (users/throttling.py)."""

    @wraps(view)
    def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        usage = count(request, policy)
        response: HttpResponseBase
        if usage.is_too_much:
            problem = Problem("rate_limited", headers={"Retry-After": str(usage.seconds_left)})
            response = program_or_person(problem, request)
        else:
            response = view(request, *args, **kwargs)
        for name, value in usage.headers.items():
            response.headers[name] = value
        return response

    return counted
