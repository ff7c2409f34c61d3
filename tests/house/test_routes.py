"""Every URL asks who you are, or stands on the short public list."""

import re
import uuid

import pytest
from django.conf import settings
from django.urls import get_resolver
from django.urls.resolvers import URLResolver

from notifications_site import urls
from tests.factories import UserFactory

#: What anybody may call without credentials (section 2.3 of the API document), and why.
PUBLIC = {
    "api/schema": "the contract",
    "api/docs": "the contract, for people",
    "api/docs/errors/": "where the `type` of a problem leads",
    "api/docs/errors/<str:code>": "the same",
    "": "the start page; only for whoever sits at the machine, all others are led to the admin",
    "start/messages": "the same; for all others it does not exist",
    "demo/web-push/": "the same",
    "demo/worker.js": "the same",
    "demo/push-service/": "the same; a push service knows nobody",
    "demo/push-service/push/<str:name>/": "the same; what comes is signed",
    "demo/push-service/messages/<str:name>/": "the same; the name is the secret, and only the browser can read them",
    "health": "asked by load balancers",
    "health/live": "the same",
    "health/ready": "the same",
    "livez": "the same",
    "metrics": "open with ENVIRONMENT=local alone; elsewhere it asks for METRICS_TOKEN or a key",
    "readyz": "the same",
    "api/v1/auth/register/": "here people become known",
    "api/v1/auth/login/": "here people say who they are",
    "api/v1/auth/refresh/": "the refresh token is what one needs",
    "api/v1/webpush/key/": "browsers need it before anybody is known",
    "api/v1/receipts/": "the receipt that came with a push is the proof",
    "webhooks/email/<str:provider>/tracking/": "a secret of its own, or the service's signature, is the proof",
    "webhooks/email/smtp/bounce/": "a secret of its own is the proof",
    "webhooks/push/onesignal/": "a secret of its own is the proof",
    "unsubscribe/<str:token>/": "the link is signed; mail programs have no other credentials",
    "admin": "leads to admin/, which asks",
    "admin/login/": "here staff say who they are",
    "admin/logout/": "only forgets who you are",
}
EXAMPLES = {
    "<uuid:": str(uuid.uuid4()),
    "<int:": "1",
    "<str:": "thing",
    "<path:": "1",
    "<": "1",
}
WRITING = ["POST", "PUT", "PATCH", "DELETE"]
METHODS = ["GET", "HEAD", "OPTIONS", *WRITING]

pytestmark = pytest.mark.django_db


def routes(resolver=None, prefix=""):
    """Every route as it is written in the URL files; those of the admin's regular expressions are its own."""
    for each in (resolver or get_resolver()).url_patterns:
        written = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each, written)
        elif "(?P" not in written:
            yield written


def example(route):
    """A path of this route."""
    parts = []
    for part in route.split("/"):
        start = part.find("<")
        kind = next((kind for kind in EXAMPLES if part[start:].startswith(kind)), None) if start >= 0 else None
        parts.append(part[:start] + EXAMPLES[kind] if kind else part)
    return "/" + "/".join(parts)


GUARDED = [route for route in routes() if route not in PUBLIC]
OF_PROGRAMS = [route for route in GUARDED if not route.startswith("admin/")]
OF_STAFF = [route for route in GUARDED if route.startswith("admin/")]


def test_the_public_list_names_only_what_exists():
    assert set(PUBLIC) <= set(routes())


def test_there_is_something_to_guard():
    assert "api/v1/notifications/" in OF_PROGRAMS
    assert "admin/" in OF_STAFF


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", OF_PROGRAMS)
def test_a_program_without_credentials_is_turned_away(client, route, method):
    for path in {example(route), example(route).rstrip("/")}:
        response = client.generic(method, path, b"{}", content_type="application/json")

        assert response.status_code == 401, path
        assert response["WWW-Authenticate"] == "Bearer"
        assert method == "HEAD" or response.json()["code"] == "not_authenticated"


def not_led_to_the_sign_in(client, method):
    """Every page of staff that answers something else: route → status."""
    answers = {route: client.generic(method, example(route)) for route in OF_STAFF}
    return {
        route: answer.status_code
        for route, answer in answers.items()
        if answer.status_code != 302 or not answer["Location"].startswith("/admin/login/?next=/admin/")
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_staff_pages_lead_to_the_sign_in(client, method):
    assert not_led_to_the_sign_in(client, method) == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_person_who_is_no_staff_is_no_better_off(client, method):
    client.force_login(UserFactory())

    assert not_led_to_the_sign_in(client, method) == {}


@pytest.mark.parametrize("route", PUBLIC)
def test_public_pages_ask_nobody(client, route):
    response = client.get(example(route))

    assert response.status_code not in (401, 403)
    assert "login/?next" not in response.get("Location", "")


def first_parts(role):
    """What a proxy looks at to find the role that serves a path."""
    for each in urls.SETS[role]:
        within = each.url_patterns if isinstance(each, URLResolver) else [each]
        before = f"/{each.pattern}" if isinstance(each, URLResolver) else "/"
        for inner in within:
            yield f"{before}{str(inner.pattern).partition('/')[0]}/"


@pytest.mark.parametrize("role", ["users", "templates"])
def test_the_page_about_production_tells_which_paths_a_role_serves(role):
    page = (settings.BASE_DIR / "docs" / "how_to" / "run_in_production.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| (`/.*) \| `{role}` \|$", page, re.MULTILINE)
    assert set(re.findall("`([^`]+)`", row)) == set(first_parts(role))
