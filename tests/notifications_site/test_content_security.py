"""What browsers are told to allow."""

import pytest
from csp.decorators import csp_replace
from django.http import HttpResponse
from django.urls import path

from notifications_site.content_security import policy_for


def show(request, **kwargs):
    return HttpResponse("page")


urlpatterns = [
    path("", show),
    path("api/docs", show),
    path("api/v1/things/", show),
    path("administration/", show),
    path("admin/", show),
    path("admin/templates_app/", show),
    path("admin/channels_email/capturedemail/1/preview/", show),
    path("api/preview/", show),
    path("own/", csp_replace({"img-src": ["https:"]})(show)),
]
handler404 = "gateway.problems.handler404"

pytestmark = pytest.mark.urls(__name__)


def policy(client, address):
    header = client.get(address)["Content-Security-Policy"]
    return {name: value for name, _, value in (part.partition(" ") for part in header.split("; "))}


STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


@pytest.mark.parametrize(
    "address",
    ["/", "/api/docs", "/api/v1/things/", "/administration/", "/nowhere/", "/api/preview/", "/static/missing.css"],
)
def test_pages_and_answers_are_strict(client, address):
    assert policy(client, address) == STRICT


@pytest.mark.parametrize("address", ["/admin/", "/admin/templates_app/", "/admin/nowhere/"])
def test_the_admin_may_do_what_its_theme_needs_and_no_more(client, address):
    assert policy(client, address) == {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "frame-src": "'self'",
        "object-src": "'none'",
        "frame-ancestors": "'none'",
    }


def test_a_captured_mail_shows_pictures_in_a_sandbox(client):
    assert policy(client, "/admin/channels_email/capturedemail/1/preview/") == {
        "default-src": "'none'",
        "img-src": "https: data:",
        "style-src": "'unsafe-inline'",
        "sandbox": "",
    }


def test_inline_scripts_are_allowed_nowhere():
    for address in ("/", "/admin/", "/admin/x/preview/"):
        policy = policy_for(address)
        assert "'unsafe-inline'" not in policy.get("script-src", policy["default-src"])


def test_a_view_can_change_its_own_policy(client):
    assert policy(client, "/own/") == STRICT | {"img-src": "https:"}


@pytest.mark.parametrize("address", ["/", "/admin/", "/nowhere/"])
def test_types_are_not_guessed_and_devices_not_offered(client, address):
    response = client.get(address)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in response["Permissions-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "Content-Security-Policy-Report-Only" not in response
