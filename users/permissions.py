"""What a caller may do: every API view names the scope it needs."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from users.authentication import caller_of

if TYPE_CHECKING:  # rest_framework.views imports the default permissions, this file, while it is being imported itself
    from rest_framework.views import APIView


class ScopeMissing(PermissionDenied):
    """The caller is known but may not do this; `required_scope` says what is missing."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.", code="insufficient_scope")
        self.required_scope = scope


class HasScope(BasePermission):
    """Views set `required_scopes`, a scope per method: `{"POST": "notifications:write"}`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True, or the exception that says what is missing."""
        if not request.user:
            raise NotAuthenticated()
        scopes: dict[str, str] = getattr(view, "required_scopes", {})
        method = request.method or ""
        scope = scopes.get("GET" if method == "HEAD" else method)
        if scope is None:
            raise ImproperlyOpen(f"{type(view).__name__} names no scope for {method}.")
        if not caller_of(request).may(scope):
            raise ScopeMissing(scope)
        return True


class ImproperlyOpen(RuntimeError):
    """A view forgot to say who may use it."""
