"""The addresses people and tools type: the API's description in the form they ask for, the admin without its slash."""

import json

import pytest

NOTHING: dict[str, str] = {}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


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
