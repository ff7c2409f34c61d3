"""/api/docs/errors/: the pages behind the `type` links of problems, all codes and one, from the catalogue."""

import json
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from gateway.problems import body_of, problem_response
from users.problem_catalogue import PROBLEMS, ProblemKind
from users.problems import Problem

READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list."""

    code: str
    kind: ProblemKind
    url: str


def error_index(request: HttpRequest) -> HttpResponse:
    """All codes, by status."""
    if request.method not in READING:
        return only_reading(request)
    entries = [Entry(code, kind, reverse("error", args=[code])) for code, kind in PROBLEMS.items()]
    entries.sort(key=lambda entry: entry.kind.status)  # stable: within a status the catalogue's order stays
    return render(request, "docs/error_index.html", {"problems": entries})


def error_page(request: HttpRequest, code: str) -> HttpResponse:
    """One code; a page with status 404 for a code that does not exist."""
    if request.method not in READING:
        return only_reading(request)
    index_url = reverse("errors")
    kind = PROBLEMS.get(code)
    if kind is None:
        return render(request, "docs/error_unknown.html", {"code": code, "index_url": index_url}, status=404)
    context = {"code": code, "kind": kind, "index_url": index_url, "example": example(code)}
    return render(request, "docs/error.html", context)


def example(code: str) -> str:
    """An answer with this code, as a client would see it."""
    body = body_of(Problem(code), instance="/api/v1/…", request_id="0f6c1e0e-6f0c-4a43-9d0e-3a1b6f1a0c55")
    return json.dumps(body, indent=2, ensure_ascii=False, default=str)


def only_reading(request: HttpRequest) -> HttpResponse:
    """405."""
    return problem_response(Problem("method_not_allowed", headers={"Allow": ", ".join(READING)}), request)
