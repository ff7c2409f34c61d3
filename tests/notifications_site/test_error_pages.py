"""The pages behind the `type` links of problems."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.urls import path

from notifications_site.error_pages import error_index, error_page
from users.problem_catalogue import PROBLEMS

urlpatterns = [
    path("api/docs/errors/", error_index, name="errors"),
    path("api/docs/errors/<str:code>", error_page, name="error"),
]
handler404 = "gateway.problems.handler404"

pytestmark = pytest.mark.urls(__name__)


def page(client, address):
    response = client.get(address)
    assert response["Content-Type"] == "text/html; charset=utf-8"
    return response.content.decode()


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_code_has_its_page(client, code):
    text = page(client, f"/api/docs/errors/{code}")

    assert f"<code>{code}</code>" in text
    assert f'class="tag">{PROBLEMS[code].status}<' in text
    assert f"/api/docs/errors/{code}&quot;" in text


def test_the_page_behind_a_type_link_is_that_of_its_code(client, settings):
    settings.PUBLIC_URL = "http://testserver"
    link = client.get("/api/v1/nowhere/").json()["type"]

    assert "<code>not_found</code>" in page(client, link)


@pytest.mark.parametrize("address", ["/api/docs/errors/not_found/", "/api/docs/errors"])
def test_the_slash_does_not_matter(client, address):
    assert client.get(address).status_code == 200


def test_the_list_names_every_code_once_and_links_to_it(client):
    text = page(client, "/api/docs/errors/")

    linked = re.findall(r'href="/api/docs/errors/([a-z_]+)"', text)
    assert sorted(linked) == sorted(PROBLEMS)


def test_the_list_is_ordered_by_status(client):
    statuses = [int(found) for found in re.findall(r'<h2 id="status-(\d+)"', page(client, "/api/docs/errors/"))]

    assert statuses == sorted({kind.status for kind in PROBLEMS.values()})


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json"])
def test_an_unknown_code_is_a_page_with_status_404(client, accept):
    response = client.get("/api/docs/errors/%3Cscript%3E", headers={"Accept": accept})

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
    assert "&lt;script&gt;" in response.content.decode()
    assert "<script" not in response.content.decode()


@pytest.mark.parametrize("address", ["/api/docs/errors/", "/api/docs/errors/not_found"])
def test_pages_are_only_read(client, address):
    response = client.post(address)

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert response.json()["code"] == "method_not_allowed"
    assert client.head(address).status_code == 200


@pytest.mark.parametrize("address", ["/api/docs/errors/", "/api/docs/errors/not_found", "/api/docs/errors/x"])
def test_pages_load_nothing_from_elsewhere_and_hold_nothing_inline(client, address):
    text = client.get(address).content.decode()

    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert not re.search(r"<style|<script|\sstyle=|\son[a-z]+=", text)


def test_the_style_sheet_is_served_and_knows_dark_and_narrow_screens(client):
    name = re.search(r'href="/static/([^"]+\.css)"', page(client, "/api/docs/errors/"))[1]

    with open(finders.find(name)) as file:
        sheet = file.read()
    assert "prefers-color-scheme: dark" in sheet
    assert "url(" not in sheet
    assert "@import" not in sheet
