"""The base of views about one person: who is meant, and whether the caller may."""

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request

from users.api_view import ApiView
from users.authentication import caller_of
from users.models import User
from users.people import person_called
from users.permissions import ScopeMissing
from users.preferences import Origin

READ, WRITE = "users:read", "users:write"
BY_METHOD = {"GET": READ, "POST": WRITE, "PUT": WRITE, "PATCH": WRITE, "DELETE": WRITE}


class PersonView(ApiView):
    """A view under `/api/v1/users/{user_id}/`: with the scope for anybody, without it for oneself.

    Handlers find the person in `self.person`.
    """

    required_scopes: ClassVar[dict[str, str]] = BY_METHOD
    #: What people may do with what is their own.
    open_to_people = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
    person: User

    def check_permissions(self, request: Request) -> None:
        """Who may look at others but not change them is told so; who may not even look learns nothing (404)."""
        super().check_permissions(request)
        caller, scope = caller_of(request), self._scope(request)
        if not caller.may(scope) and caller.may(READ) and not is_self(caller.person, self.kwargs["user_id"]):
            raise ScopeMissing(scope)

    def find(self, request: Request, **path: Any) -> None:
        """The person; views that find more extend it."""
        caller, wanted = caller_of(request), path["user_id"]
        if is_self(caller.person, wanted):
            found = caller.person
        else:
            found = person_called(wanted) if caller.may(self._scope(request)) else None
        if found is None:
            raise Http404
        self.person = found

    def _scope(self, request: Request) -> str:
        return self.required_scopes["GET" if request.method == "HEAD" else request.method or ""]


def is_self(caller: User | None, user_id: str) -> bool:
    """Whether a person calls themselves so: `me`, their client's id for them, or ours."""
    return caller is not None and user_id in ("me", caller.external_id, str(caller.pk))


def origin_of(request: Request, person: User | None) -> Origin:
    """Who decides about this person's wishes, for the ledger; None for somebody who is just being made known."""
    caller = caller_of(request)
    if caller.person is None:
        by, who = f"client:{caller.client}", ""
    elif person is not None and caller.person.pk == person.pk:
        by, who = "self", ""
    else:
        by, who = "staff", caller.name
    return Origin(by=by, who=who, source="api", address=request.META.get("REMOTE_ADDR") or "")
