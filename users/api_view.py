"""The base of every API view: who asks and what comes in is checked here, in the order the contract promises."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from users.json_format import LARGEST_BODY, media_type_of
from users.problems import FieldError, Problem
from users.throttling import PolicyThrottle, Usage

READING = frozenset({"GET", "HEAD"})
METHODS_WITH_A_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class ApiView(APIView):
    """406, 401, 429, 405, 403, 413, 415, 404, 400: the first that applies is answered; handlers see good requests only.

    A view that needs no credentials says `permission_classes = [AllowAny]`.
    """

    throttle_classes: Sequence[type[BaseThrottle]] = (PolicyThrottle,)
    #: By method, where it is not `read` for GET and `manage` for all others.
    rate_policies: ClassVar[Mapping[str, str]] = {}
    #: Bytes.
    max_body: ClassVar[int] = LARGEST_BODY
    #: What may stand behind the question mark; anything else is 400.
    query_parameters: ClassVar[frozenset[str]] = frozenset()
    #: The tightest count this request was held against.
    usage: Usage
    # Without "options" and "trace": there is no CORS, and nothing to trace.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def find(self, request: Request, **path: Any) -> None:
        """Views with an object in their path find it here and keep it, or raise Http404: before any 400."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        """On every answer of this view."""
        return {"Cache-Control": "no-store"}

    def rate_policy(self, method: str) -> str:
        """Under which policy a request is counted (users/throttling.py)."""
        return self.rate_policies.get(method) or ("read" if method in READING else "manage")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """DRF's hook before the handler. DRF asks for permissions before it looks at method and body; we do not."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = None, None
        self.check_credentials(request)
        self.check_throttles(request)
        self.check_method(request)
        self.check_permissions(request)
        if request.method in METHODS_WITH_A_BODY:
            self.check_size(request)
            self.check_type(request)
        self.find(request, **kwargs)
        self.check_query(request)
        if request.method in METHODS_WITH_A_BODY:
            request.data  # noqa: B018  parses, so that a broken body is refused even where the handler reads none

    def check_credentials(self, request: Request) -> None:
        """Wrong ones are refused everywhere, missing ones wherever they are needed."""
        self.perform_authentication(request)
        is_open = all(isinstance(permission, AllowAny) for permission in self.get_permissions())
        if not is_open and request.successful_authenticator is None:
            raise NotAuthenticated

    def check_method(self, request: Request) -> None:
        """A method this view has no handler for, OPTIONS among them, is 405."""
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)

    def check_size(self, request: Request) -> None:
        """By what the client announces, so that nothing is read in vain; the parser counts what has come."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.max_body:
            raise Problem("payload_too_large", f"This route takes bodies of up to {self.max_body // 1024} KiB.")

    def check_type(self, request: Request) -> None:
        """A body must be declared as what our parsers read, and not be compressed."""
        if not request.body:
            return
        readable = {parser.media_type for parser in self.parser_classes}
        if media_type_of(request.META.get("CONTENT_TYPE")) not in readable:
            raise Problem("unsupported_media_type")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Problem("unsupported_media_type", "Compressed bodies are not read.")

    def check_query(self, request: Request) -> None:
        """Every unknown parameter is named; NUL, which no database stores, is refused."""
        errors = [
            FieldError(f"?{name}", "unknown_field", "This route has no such parameter.")
            if name not in self.query_parameters
            else FieldError(f"?{name}", "invalid", "NUL is no character of a parameter.")
            for name, values in request.query_params.lists()
            if name not in self.query_parameters or any("\x00" in value for value in values)
        ]
        if errors:
            raise Problem("validation_error", errors=errors)
