"""A shop with a key, a person and a template: what most tests of the API need."""

import pytest

from tests.gateway.api_scene import client_with_key, person, template


@pytest.fixture
def ann(db):
    return person("user-123", locale="de-AT")


@pytest.fixture
def welcome(db):
    return template("welcome_email")


@pytest.fixture
def shop(ann, welcome):
    return client_with_key()
