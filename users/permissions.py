"""What a caller may do: every API view names the scope it needs, or who else may come in."""

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


#: In `required_scopes`: any credentials will do.
ANYBODY = "anybody"
#: In `required_scopes`: a person, with or without a role; not the key of a client.
PERSON = "person"


class OnlyForPeople(PermissionDenied):
    """A client's key asks for what only a person has."""

    def __init__(self) -> None:
        super().__init__("This is for people who have signed in, not for API keys.", code="insufficient_scope")


class HasScope(BasePermission):
    """Views set `required_scopes`, a scope per method: `{"POST": "notifications:write"}`.

    `open_to_people` names the methods that any person may call besides, for what is about themselves; such a view
    looks in its `find` whether it is.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True, or the exception that says what is missing."""
        if not request.user:
            raise NotAuthenticated()
        scopes: dict[str, str] = getattr(view, "required_scopes", {})
        method = request.method or ""
        scope = scopes.get("GET" if method == "HEAD" else method)
        if scope is None:
            raise ImproperlyOpen(f"{type(view).__name__} names no scope for {method}.")
        caller = caller_of(request)
        if scope == PERSON and caller.person is None:
            raise OnlyForPeople
        is_open = scope in (ANYBODY, PERSON) or (caller.person and method in getattr(view, "open_to_people", ()))
        if not is_open and not caller.may(scope):
            raise ScopeMissing(scope)
        return True


class ImproperlyOpen(RuntimeError):
    """A view forgot to say who may use it."""
