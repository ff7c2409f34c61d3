"""Problem details (RFC 9457): the one form of every error, of the API and of Django itself.

Views raise `Problem` (users/problems.py). `exception_handler` serves DRF, the `handler…` functions serve Django.
"""

import sys
from collections.abc import Mapping
from datetime import timedelta
from functools import singledispatch
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.template import loader
from rest_framework import exceptions as drf
from rest_framework.request import Request

from users.json_text import to_json
from users.problem_catalogue import PROBLEMS
from users.problems import Problem
from users.validation_findings import findings

log = structlog.stdlib.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
#: How long a client waits after a 429 or 503 that knows nothing better.
RETRY_AFTER = timedelta(seconds=5)
#: What may be repeated as it is.
LATER = (429, 503)
#: PostgreSQL's code for a write where only reading is allowed.
READ_ONLY = "25006"
#: These speak to programs, whatever they accept.
PATHS_OF_PROGRAMS = ("/api/", "/webhooks/", "/health", "/livez", "/readyz", "/metrics")
#: Except these pages.
PATHS_OF_PEOPLE = ("/api/docs",)
#: These answer with pages, whatever is accepted: mail programs open them.
PAGES = ("/unsubscribe/",)
#: DRF's own codes where ours have other names.
OUR_CODES = {
    "parse_error": "malformed_json",
    "permission_denied": "insufficient_scope",
    "throttled": "rate_limited",
    "authentication_failed": "not_authenticated",
    "token_not_valid": "invalid_token",
}
#: Exceptions whose text DRF makes up; the catalogue says it better.
WITHOUT_OWN_WORDS = (drf.MethodNotAllowed, drf.NotAcceptable, drf.Throttled, drf.UnsupportedMediaType)


def body_of(problem: Problem, *, instance: str, request_id: str | None) -> dict[str, object]:
    """The members in the order people read them: what, where, which request, what to do, the findings."""
    said: dict[str, object] = {
        "type": f"{settings.PUBLIC_URL}/api/docs/errors/{problem.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": instance,
        "code": problem.code,
        "request_id": request_id,
        "fix": problem.kind.fix,
    }
    if problem.errors:
        said["errors"] = [error.members() for error in problem.errors]
    return said | problem.members


def problem_response(problem: Problem, request: HttpRequest | Request) -> HttpResponse:
    """The problem as `application/problem+json`, with the headers its status asks for."""
    body = body_of(problem, instance=request.path, request_id=getattr(request, "request_id", None))
    response = HttpResponse(to_json(body), status=problem.kind.status, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    if problem.kind.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if problem.kind.status in LATER:
        response["Retry-After"] = str(round(RETRY_AFTER.total_seconds()))
    for name, value in problem.headers.items():
        response[name] = value
    return response


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER. None for what nobody foresaw: Django logs its traceback and asks `handler500`."""
    problem = translated(error)
    if problem is None:
        return None
    if problem.kind.status >= 500:
        # Without the traceback: there will be one of these for every request, and each says the same.
        log.error("Answered 503: the database does not answer.", action="answer_problem", detail=first_line(error))
    view = context.get("view")
    if problem.code == "method_not_allowed" and view is not None:
        problem.headers.setdefault("Allow", ", ".join(view.allowed_methods))
    return problem_response(problem, context["request"])


def first_line(error: Exception) -> str:
    """Which error, in its own words; further lines of PostgreSQL's only guess at causes."""
    return f"{type(error.__cause__ or error).__name__}: {str(error).partition(chr(10))[0]}"


@singledispatch
def translated(error: Exception) -> Problem | None:
    """The problem that an exception is to a client; None for what is our own fault."""
    return None


@translated.register
def _(error: Problem) -> Problem:
    return error


@translated.register
def _(error: drf.APIException) -> Problem | None:
    given = error.get_codes()
    code = OUR_CODES.get(given, given) if isinstance(given, str) else "invalid_token"
    if code not in PROBLEMS:
        return None
    scope = getattr(error, "required_scope", None)
    members = {"required_scope": scope} if scope else {}
    wait = getattr(error, "wait", None)
    headers = {"Retry-After": str(wait)} if wait is not None else {}
    return Problem(code, _own_words(error), headers=headers, **members)


def _own_words(error: drf.APIException) -> str:
    """What a view of ours wrote; nothing where DRF put in its standard sentence."""
    if isinstance(error, WITHOUT_OWN_WORDS) or not isinstance(error.detail, str):
        return ""
    return "" if error.detail == error.default_detail else str(error.detail)


@translated.register
def _(error: drf.ValidationError) -> Problem:
    found = findings(error)
    if len(found) == 1:
        return Problem("validation_error", f"{found[0].pointer or 'The body'}: {found[0].detail}", errors=found)
    return Problem("validation_error", f"{len(found)} findings, see errors." if found else "", errors=found)


@translated.register
def _(error: Http404) -> Problem:
    return Problem("not_found")


@translated.register
def _(error: PermissionDenied) -> Problem:
    return Problem("insufficient_scope")


@translated.register(RequestDataTooBig)
def _(error: Exception) -> Problem:
    return Problem("payload_too_large")


@translated.register(DisallowedHost)
def _(error: Exception) -> Problem:
    return Problem("invalid_host")


@translated.register(BadRequest)
@translated.register(SuspiciousOperation)
@translated.register(MultiPartParserError)
@translated.register(UnreadablePostError)
def _(error: Exception) -> Problem:
    return Problem("malformed_json")


@translated.register(OperationalError)
@translated.register(InterfaceError)
def _(error: Exception) -> Problem:
    return Problem("unavailable")


@translated.register
def _(error: InternalError) -> Problem | None:
    """A database that may only be read, such as a standby before it takes over; anything else is no outage."""
    return Problem("unavailable") if getattr(error.__cause__, "sqlstate", None) == READ_ONLY else None


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django refused the request before a view saw it: host name, size, form."""
    return program_or_person(translated(exception) or Problem("malformed_json"), request)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for staff was asked for without the permission."""
    return program_or_person(Problem("insufficient_scope"), request)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such route."""
    return program_or_person(Problem("not_found"), request)


def handler500(request: HttpRequest) -> HttpResponse:
    """Our fault, and a database that does not answer outside DRF. Django has logged the traceback."""
    error = sys.exc_info()[1]
    away = isinstance(error, DatabaseTrouble) and translated(error) is not None
    return program_or_person(Problem("unavailable" if away else "internal_error"), request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW. The reason stays in the log: it would help a forger more than a person."""
    return program_or_person(Problem("csrf_failed"), request)


def is_of_programs(path: str) -> bool:
    """Whether programs ask here, and not people."""
    return path.startswith(PATHS_OF_PROGRAMS) and not path.startswith(PATHS_OF_PEOPLE)


def program_or_person(problem: Problem, request: HttpRequest) -> HttpResponse:
    """JSON, but a page for whoever asks for HTML outside the API."""
    is_page = request.path.startswith(PAGES) or "text/html" in request.headers.get("Accept", "")
    if is_of_programs(request.path) or not is_page:
        return problem_response(problem, request)
    # Without the request: its context processors would ask the database, which may be what is broken.
    words = {"code": problem.code, "kind": problem.kind, "detail": problem.detail}
    page = loader.render_to_string("error.html", words | {"request_id": getattr(request, "request_id", "")})
    response = HttpResponse(page, status=problem.kind.status, headers={"Cache-Control": "no-store"})
    if problem.kind.status in LATER:
        response["Retry-After"] = str(round(RETRY_AFTER.total_seconds()))
    return response
