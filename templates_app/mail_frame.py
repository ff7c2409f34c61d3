"""A mail's HTML for a sandboxed frame, as devices in light and in dark show it."""

import re

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
#: Media queries that are always true, and never.
_ALWAYS, _NEVER = "(min-width: 0)", "(max-width: 0)"
#: The policy of these pages comes from their address (content_security.py); pictures are shown only when asked for.
_NO_FOREIGN_PICTURES = {"img-src": ["data:"]}


def mail_frame(request: HttpRequest, html: str) -> HttpResponseBase:
    """What stands in the frame. `?scheme=dark` for a dark device; `?pictures=yes` loads foreign pictures.

    Whoever runs the server of a foreign picture sees that somebody looked, so the default is without.
    """
    shown = in_scheme(html, "dark" if request.GET.get("scheme") == "dark" else "light")

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _answer(shown)

    show = answer if request.GET.get("pictures") == "yes" else csp_replace(_NO_FOREIGN_PICTURES)(answer)
    return show(request)


def in_scheme(html: str, scheme: str) -> str:
    """The HTML as a device in `scheme` (light or dark) shows it, whatever the reader's own device prefers."""
    return _SCHEME.sub(lambda found: _ALWAYS if found[1].lower() == scheme else _NEVER, html)


def _answer(html: str) -> HttpResponse:
    response = HttpResponse(html or "<!doctype html><title></title>")
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
