"""A shop with a key, a person and a template: what most tests of the API need."""

import pytest

from tests.factories import UserFactory
from tests.gateway.api_scene import client_with_key, template


@pytest.fixture
def ann(db):
    return UserFactory(external_id="user-123", locale="de-AT")


@pytest.fixture
def welcome(db):
    return template("welcome_email")


@pytest.fixture
def shop(ann, welcome):
    return client_with_key()
