"""Middleware: what a browser may load and do on our pages. Strict, but looser where the admin's theme needs it."""

from functools import cache

from csp.constants import HEADER, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Directives = dict[str, list[str] | bool]

#: Scripts and styles only from files of ours; connections (the API documentation tries requests) only to ourselves.
STRICT: Directives = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
#: The theme's Alpine evaluates expressions, Alpine and htmx set styles. Inline scripts are not needed and not allowed.
ADMIN: Directives = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "frame-src": [SELF],
    "object-src": [NONE],
    "frame-ancestors": [NONE],
}
#: A captured mail is foreign HTML: it may show pictures and its own styles; the sandbox takes scripts and forms away.
MAIL_PREVIEW: Directives = {
    "default-src": [NONE],
    "img-src": ["https:", "data:"],
    "style-src": [UNSAFE_INLINE],
    "sandbox": True,
}
#: Answers for programs; no view of theirs has a policy of its own.
API = "/api/v1/"
NO_DEVICES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


class ContentSecurityMiddleware(CSPMiddleware):
    """The policy follows from the path; a view can still set its own with django-csp's decorators."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The policy, and the two headers that belong to it."""
        response.setdefault("X-Content-Type-Options", "nosniff")
        response.setdefault("Permissions-Policy", NO_DEVICES)
        if request.path.startswith(API):
            # Always the same, and the building of it took as long as the checking of a request.
            response.setdefault(HEADER, _strict())
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """django-csp's hook. There is no report-only policy."""
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None:
            parts.config = policy_for(request.path)
        return parts


@cache
def _strict() -> str:
    return str(build_policy(config=STRICT))


def policy_for(path: str) -> Directives:
    """Which of the three policies a page gets."""
    if not path.startswith("/admin/"):
        return STRICT
    return MAIL_PREVIEW if "/preview/" in path else ADMIN
