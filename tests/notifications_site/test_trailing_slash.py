"""Both forms of an API path are the same path."""

import pytest
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def show(request, **kwargs):
    return HttpResponse(f"{request.method} {request.path} {request.body.decode()} {request.GET.urlencode()}")


urlpatterns = [
    path("api/v1/things/", show),
    path("api/v1/things/<uuid:number>/status", show),
    path("api/docs", show),
    path("health", show),
    path("health/live", show),
    path("livez", show),
    path("readyz", show),
    path("metrics", show),
    path("webhooks/sendgrid/", show),
    path("unsubscribe/<str:token>/", show),
    path("admin/things/", show),
    path("page", show),
]
handler404 = "gateway.problems.handler404"

pytestmark = pytest.mark.urls(__name__)
STATUS = "/api/v1/things/019a0000-0000-7000-8000-000000000000/status"


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/things",
        STATUS,
        "/api/docs",
        "/health",
        "/health/live",
        "/livez",
        "/readyz",
        "/metrics",
        "/webhooks/sendgrid",
        "/unsubscribe/abc",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_both_forms_answer_alike_for_every_method(client, method, address):
    for form in (address, address + "/"):
        response = client.generic(method, form + "?a=b", b"body")

        assert response.status_code == 200
        assert response.content.decode() == f"{method} {form} body a=b"


@pytest.mark.parametrize(
    "address", ["/api/v1/things//", "/api/v1//things", "/api/v1/nowhere", "/api/v1/nowhere/", "/healthy"]
)
def test_nothing_else_is_forgiven(client, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", ["/admin/things", "/page/"])
def test_pages_outside_the_api_keep_their_one_form(client, address):
    assert client.get(address).status_code == 404
