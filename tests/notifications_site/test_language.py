"""In which language a page answers."""

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("asked", "answered"), [("de-AT,de;q=0.9", "de"), ("tlh", "en"), (None, "en")])
def test_the_reader_says_in_which_language(client, asked, answered):
    response = client.get("/api/docs/errors/", headers={"Accept-Language": asked} if asked else {})

    assert response.headers["Content-Language"] == answered
    assert "Accept-Language" in response.headers["Vary"]


def test_a_language_that_was_chosen_counts_more(client):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"

    assert client.get("/api/docs/errors/", headers={"Accept-Language": "de"}).headers["Content-Language"] == "fr"
