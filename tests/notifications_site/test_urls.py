"""The addresses people and tools type: the API's description in the form they ask for, the admin without its slash."""

import json

import pytest

NOTHING: dict[str, str] = {}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


pytestmark = pytest.mark.django_db  # requests are counted


@pytest.mark.parametrize("headers", [NOTHING, {"Accept": "text/html"}, {"Accept": BROWSER}, {"Accept": "*/*"}])
def test_swagger_opens_for_whatever_asks_for_a_page(client, headers):
    response = client.get("/api/docs", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("headers", [NOTHING, {"Accept": "*/*"}, {"Accept": "application/yaml"}])
def test_the_schema_is_yaml_unless_json_is_asked_for(client, headers):
    response = client.get("/api/schema", headers=headers)
    assert response.status_code == 200
    assert response.content.startswith(b"openapi: 3.1.0")


@pytest.mark.parametrize(("query", "accept"), [("?format=json", "*/*"), ("", "application/json")])
def test_the_schema_is_json_where_json_is_asked_for(client, query, accept):
    response = client.get(f"/api/schema{query}", headers={"Accept": accept})
    assert json.loads(response.content)["openapi"] == "3.1.0"


def test_the_admin_opens_without_its_slash(client):
    response = client.get("/admin")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


@pytest.fixture
def serve(settings):
    """The URLs of a web process with this SERVICE_ROLE."""
    from notifications_site import urls

    def choose(role):
        names = {name: getattr(urls, name) for name in ("handler400", "handler403", "handler404", "handler500")}
        settings.ROOT_URLCONF = type("Urls", (), names | {"urlpatterns": [*urls.SETS[role], *urls.EVERYWHERE]})

    return choose


ROLES = ["all", "gateway", "users", "templates"]


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/api/docs", "/api/schema"])
def test_every_role_tells_how_it_is_and_what_it_serves(client, serve, role, path):
    serve(role)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("role", ["users", "templates"])
@pytest.mark.parametrize("path", ["/api/v1/notifications/", "/api/v1/services/", "/admin/", "/"])
def test_what_a_role_does_not_serve_is_404(client, serve, role, path):
    serve(role)
    response = client.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("role", ["all", "gateway"])
def test_the_gateway_has_notifications_and_the_admin(client, serve, role):
    serve(role)
    assert client.get("/api/v1/notifications/").status_code == 401
    assert client.get("/admin").status_code == 302
