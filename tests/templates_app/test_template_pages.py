"""How to send a template, and what was done to it."""

import ast
import json

import pytest

from templates_app.template_pages import call_examples, python_literal
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import PublishedVersionFactory, TemplateFactory

pytestmark = pytest.mark.django_db

VARIABLES = [{"name": "name", "required": True, "example": "Zoë O'Neill"}, {"name": "count", "type": "integer"}]


@pytest.fixture
def client():
    return signed_in(owner())


def address(template, part):
    return f"/admin/templates_app/template/{template.pk}/{part}/"


def test_the_examples_hold_this_templates_variables_and_can_be_pasted():
    version = PublishedVersionFactory(template__code="order", variables=VARIABLES)
    curl, python, javascript = (each["text"] for each in call_examples(version.template, version))
    body = json.loads(curl.partition("-d '")[2].removesuffix("'").replace("'\\''", "'"))
    assert (body["template_code"], body["variables"]) == ("order", {"name": "Zoë O'Neill", "count": 3})
    assert '"name": "Zoë O\'Neill"' in javascript
    ast.parse(python)


@pytest.mark.parametrize("value", [{}, [], {"a": [1, None, True, {"b": "x\ny"}]}, "ä'\"", 1.5])
def test_python_literals_mean_the_same(value):
    assert ast.literal_eval(python_literal(value)) == value


def test_the_page_says_when_nothing_is_live(client):
    assert "Nothing is live yet" in page(client, address(TemplateFactory(), "use"))
    assert "Nothing is live yet" not in page(client, address(PublishedVersionFactory().template, "use"))


def test_what_was_done_is_told_with_its_reason(client):
    template = PublishedVersionFactory().template
    assert "Nothing was done yet" in page(client, address(template, "activity"))
    client.post(address(template, "archive"), {"reason": "Replaced by another"})
    text = page(client, address(template, "activity"))
    assert "Olga" in text
    assert "Replaced by another" in text


@pytest.mark.parametrize("part", ["use", "activity"])
def test_the_pages_ask_little_and_need_the_permission_to_look(client, part):
    template = PublishedVersionFactory(variables=VARIABLES).template
    assert len(queries_of(client, address(template, part))) <= MOST_QUERIES
    assert signed_in(staff()).get(address(template, part)).status_code == 403
