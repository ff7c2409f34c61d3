"""Every route of the API, tried by everybody there is: who gets in is written down here, and nowhere else.

A new route without a row fails. The table is of the contract (sections 2.1 and 2.2 of the API document); it is not read
from the code, which it is to check.
"""

import uuid
from contextlib import contextmanager

import jwt
import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.urls import get_resolver

from notifications_site import urls  # noqa: F401  loads the pages
from tests.factories import UserFactory
from tests.house.test_routes import routes
from tests.sign_in_scene import give_roles
from users import lately, sign_in
from users.api_keys import create_api_key, revoke_api_key
from users.models import User

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor == "postgresql", reason="who may does not depend on the database; once is enough"
    ),
]
ROLES = ("support", "editor", "publisher", "developer", "operator", "owner")
ANYBODY, PERSON, OPEN = "any credentials", "any person", "nobody is asked"

#: What each role may do by the API, with all that its scopes include.
SCOPES = {
    "support": "users:read notifications:read notifications:manage",
    "editor": "templates:read templates:write",
    "publisher": "templates:read templates:write templates:publish notifications:read notifications:content",
    "developer": "notifications:write notifications:manage notifications:read callbacks:read callbacks:write "
    "templates:read",
    "operator": "notifications:read notifications:manage services:read metrics:read",
    "owner": "everything",
}
#: What a scope includes: who needs the second gets in with the first.
A_KEY_WITH = ("users:read", "users:write", "templates:publish", "callbacks:write", "services:read")
N, C, U, T = "api/v1/notifications/", "api/v1/callbacks/", "api/v1/users/", "api/v1/templates/"
C1, T1 = f"{C}<uuid:callback_id>/", f"{T}<str:template>/"
U1 = f"{U}<str:user_id>/"
V1 = f"{T1}versions/<int:number>/"
#: (method, route) → the scope, or who else. A star: people without the scope too, for what is their own.
API = {
    ("POST", "api/v1/auth/register/"): OPEN,
    ("POST", "api/v1/auth/login/"): OPEN,
    ("POST", "api/v1/auth/refresh/"): OPEN,
    ("GET", "api/v1/webpush/key/"): OPEN,
    ("POST", "api/v1/receipts/"): OPEN,
    ("POST", "api/v1/auth/logout/"): PERSON,
    ("POST", "api/v1/auth/password/"): PERSON,
    ("GET", "api/v1/categories/"): ANYBODY,
    ("GET", "api/v1/reasons/"): ANYBODY,
    ("GET", "api/v1/services/"): "services:read",
    ("GET", "api/v1/services/prometheus/"): "metrics:read",
    ("GET", N): "notifications:read*",
    ("POST", N): "notifications:write",
    ("GET", f"{N}<uuid:notification_id>/"): "notifications:read*",
    ("GET", f"{N}<uuid:notification_id>/status/"): "notifications:read*",
    ("GET", f"{N}<uuid:notification_id>/attempts/"): "notifications:read",
    ("GET", f"{N}<uuid:notification_id>/events/"): "notifications:read",
    ("POST", "api/v1/attachments/"): "notifications:write",
    ("GET", "api/v1/attachments/<uuid:attachment_id>/"): "notifications:write",
    ("DELETE", "api/v1/attachments/<uuid:attachment_id>/"): "notifications:write",
    ("GET", C): "callbacks:read",
    ("POST", C): "callbacks:write",
    ("GET", C1): "callbacks:read",
    ("PATCH", C1): "callbacks:write",
    ("DELETE", C1): "callbacks:write",
    ("POST", f"{C1}rotate-secret/"): "callbacks:write",
    ("POST", f"{C1}test/"): "callbacks:write",
    ("POST", f"{C1}replay/"): "callbacks:write",
    ("GET", f"{C1}deliveries/"): "callbacks:read",
    ("GET", f"{C1}deliveries/<uuid:delivery_id>/"): "callbacks:read",
    ("POST", f"{C1}deliveries/<uuid:delivery_id>/resend/"): "callbacks:write",
    ("GET", U): "users:read",
    ("POST", U): "users:write",
    ("GET", U1): "users:read*",
    ("PUT", U1): "users:write",
    ("PATCH", U1): "users:write*",
    ("DELETE", U1): "users:write*",
    ("GET", f"{U1}preferences/"): "users:read*",
    ("PUT", f"{U1}preferences/"): "users:write*",
    ("PATCH", f"{U1}preferences/"): "users:write*",
    ("GET", f"{U1}preferences/history/"): "users:read*",
    ("GET", f"{U1}quiet-hours/"): "users:read*",
    ("PUT", f"{U1}quiet-hours/"): "users:write*",
    ("DELETE", f"{U1}quiet-hours/"): "users:write*",
    ("GET", f"{U1}devices/"): "users:read*",
    ("POST", f"{U1}devices/"): "users:write*",
    ("GET", f"{U1}devices/<uuid:device_id>/"): "users:read*",
    ("PATCH", f"{U1}devices/<uuid:device_id>/"): "users:write*",
    ("DELETE", f"{U1}devices/<uuid:device_id>/"): "users:write*",
    ("POST", f"{U1}devices/<uuid:device_id>/check/"): "users:write*",
    ("GET", T): "templates:read",
    ("POST", T): "templates:write",
    ("POST", f"{T}preview/"): "templates:read",
    ("GET", T1): "templates:read",
    ("PATCH", T1): "templates:write",
    ("DELETE", T1): "templates:write",
    ("POST", f"{T1}preview/"): "templates:read",
    ("GET", f"{T1}versions/"): "templates:read",
    ("POST", f"{T1}versions/"): "templates:write",
    ("GET", V1): "templates:read",
    ("PUT", V1): "templates:write",
    ("PATCH", V1): "templates:write",
    ("DELETE", V1): "templates:write",
    ("POST", f"{V1}publish/"): "templates:publish",
    ("POST", f"{V1}revert/"): "templates:publish",
    ("GET", f"{V1}diff/"): "templates:read",
}
REFUSED = {
    "nobody": "not_authenticated",
    "revoked key": "invalid_api_key",
    "switched off": "invalid_token",
    "expired token": "token_expired",
    "forged token": "invalid_token",
}


# --- who there is -----------------------------------------------------------------------------------------------------


@contextmanager
def undone():
    """What is done within it never was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def bearer(text):
    return Client(headers={"Authorization": f"Bearer {text}"})


def key(*scopes):
    return create_api_key(name="k", client="shop", scopes=scopes)


def person(*roles, **fields):
    made = UserFactory(is_staff=bool(roles), **fields)
    give_roles(made, *roles)
    return made


def token(of):
    return sign_in.open_sign_in(of).access


@pytest.fixture(scope="module")
def callers(django_db_setup, django_db_blocker):
    """Everybody, made once: name → a program that calls for them."""
    with django_db_blocker.unblock(), undone():
        revoked, revoked_plain = key("users:write")
        revoke_api_key(revoked.pk)
        off = person("owner")
        off_token = token(off)
        User.objects.filter(pk=off.pk).update(is_active=False)
        with time_machine.travel("2026-01-01T00:00:00Z"):
            expired = token(person("owner"))
        forged = jwt.encode(jwt.decode(expired, options={"verify_signature": False}), "x" * 64, algorithm="HS256")
        lately.forget()
        yield {
            "nobody": Client(),
            "revoked key": bearer(revoked_plain),
            "switched off": bearer(off_token),
            "expired token": bearer(expired),
            "forged token": bearer(forged),
            "key": bearer(key()[1]),
            **{f"key with {scope}": bearer(key(scope)[1]) for scope in sorted(set(scopes_needed()))},
            "person": bearer(token(person())),
            **{role: bearer(token(person(role))) for role in ROLES},
        }


def scopes_needed():
    return (need.rstrip("*") for need in API.values() if ":" in need)


def asked(method, route, caller):
    """The status and code of an answer; what the request did is undone."""
    path = "/" + route
    for kind, value in {"<uuid:": str(uuid.UUID(int=7)), "<int:": "1", "<str:": "somebody"}.items():
        while kind in path:
            start = path.index(kind)
            path = path[:start] + value + path[path.index(">", start) + 1 :]
    with undone():
        answer = caller.generic(method, path, b"{}", content_type="application/json")
    is_problem = answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"] if is_problem else ""


def may(who, need):
    """What the contract says of somebody whose credentials are good."""
    scope, is_person = need.rstrip("*"), who == "person" or who in ROLES
    if need in (OPEN, ANYBODY):
        return True
    if need == PERSON:
        return is_person
    if is_person and need.endswith("*"):
        # Support may look at everybody, so it is told that changing them needs more; others learn nothing (404).
        return not (who == "support" and scope == "users:write")
    if who in ROLES:
        return who == "owner" or scope in SCOPES[who].split()
    return who == f"key with {scope}"


# --- the API ----------------------------------------------------------------------------------------------------------


def test_every_route_of_the_api_has_a_row():
    described = set()
    for route in routes():
        if route.startswith("api/v1/"):
            view = view_of(route)
            described |= {(method, route) for method in view.allowed_methods if method not in ("HEAD", "OPTIONS")}
    assert described == set(API)


def view_of(route):
    """An instance of the class behind a route."""
    from tests.house.test_routes import example

    return get_resolver().resolve(example(route)).func.cls()


@pytest.mark.parametrize(("method", "route"), API, ids=lambda each: each)
def test_the_right_ones_get_in(callers, method, route):
    need = API[method, route]
    for who, caller in callers.items():
        if who.startswith("key with") and not may(who, need):
            continue  # what a scope opens besides is looked at below
        status, code = asked(method, route, caller)
        if who in REFUSED:
            is_let_in = need == OPEN and who == "nobody"
            assert is_let_in or (status, code) == (401, REFUSED[who]), who
        elif may(who, need):
            assert status < 500, who
            assert (status, code) not in {(401, code), (403, code), (405, code)}, (who, status, code)
        else:
            assert (status, code) == (403, "insufficient_scope"), who


@pytest.mark.parametrize("scope", sorted(set(scopes_needed())))
def test_a_scope_opens_what_it_includes_and_nothing_else(callers, scope):
    includes = {
        "notifications:write": {"notifications:read"},
        "users:write": {"users:read"},
        "callbacks:write": {"callbacks:read"},
        "templates:write": {"templates:read"},
        "templates:publish": {"templates:read", "templates:write"},
    }
    caller = callers[f"key with {scope}"]
    for (method, route), need in API.items():
        is_open = need in (OPEN, ANYBODY) or need.rstrip("*") in {scope, *includes.get(scope, ())}
        assert (asked(method, route, caller)[0] != 403) is is_open, (method, route)
