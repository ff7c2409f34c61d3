"""The OpenAPI document: valid, without a warning, and the committed file is that of the code.

To make it takes seconds, so everybody else is held against the committed file.
"""

import re
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.urls import get_resolver

from notifications_site.reference import openapi_file
from tests.house.test_routes import routes
from users.api_keys import SCOPES

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.yaml"


@pytest.fixture(scope="module")
def document():
    return yaml.load(COMMITTED.read_text(), Loader=yaml.CSafeLoader)


def test_it_is_valid_and_gives_no_warning(tmp_path):
    call_command("spectacular", file=str(tmp_path / "openapi.yaml"), validate=True, fail_on_warn=True)

    assert (tmp_path / "openapi.yaml").read_text() == COMMITTED.read_text()


def test_the_committed_file_is_up_to_date():
    assert COMMITTED.read_text() == openapi_file(), "Run `make reference`."


@pytest.mark.django_db
def test_it_is_what_the_server_shows(client):
    assert client.get("/api/schema").content.decode() == COMMITTED.read_text()


def test_every_route_of_the_api_is_described(document):
    written = {re.sub(r"<\w+:(\w+)>", r"{\1}", route) for route in routes(get_resolver())}

    assert {path.removeprefix("/") for path in document["paths"]} == {
        route for route in written if route.startswith("api/v1/")
    }


def operations(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


#: What needs no scope, by operation id: any credentials, or those of a person, or none at all.
WITHOUT_SCOPE = {
    *("register", "login", "refresh_tokens", "logout", "change_password"),
    *("list_categories", "list_reasons"),
    *("get_webpush_key", "report_push"),
}


def test_every_operation_names_its_scope(document):
    assert {each["scheme"] for each in document["components"]["securitySchemes"].values()} == {"bearer"}
    for operation in operations(document):
        named = {scope for each in operation["security"] for scopes in each.values() for scope in scopes}
        assert len(named) == (operation["operationId"] not in WITHOUT_SCOPE), operation["operationId"]
        assert named <= SCOPES.keys()


def test_errors_are_problem_documents(document):
    for operation in operations(document):
        for status, answer in operation["responses"].items():
            media_type = "application/json" if status.startswith("2") else "application/problem+json"
            assert list(answer.get("content", ())) == ([] if status == "204" else [media_type])


def test_a_client_may_send_priorities_as_numbers_or_words(document):
    either = document["components"]["schemas"]["Submit"]["properties"]["priority"]["oneOf"]

    assert [each["type"] for each in either] == ["integer", "string", "null"]
