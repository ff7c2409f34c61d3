"""One content with example values."""

import pytest

from templates_app.preview import preview
from templates_app.sample_data import example_values
from templates_app.variables import parse_variables
from tests.factories import TemplateContentFactory, TemplateVersionFactory


def test_a_variable_stands_for_itself_when_it_has_neither_example_nor_default():
    declared = parse_variables(
        [
            {"name": "with_example", "type": "string", "example": "Ann", "default": "you"},
            {"name": "with_default", "type": "string", "default": "you"},
            {"name": "bare", "type": "string"},
        ]
    )
    assert example_values(declared) == {"with_example": "Ann", "with_default": "you", "bare": "bare"}


@pytest.mark.django_db
def test_a_moment_is_written_in_the_language_of_the_content():
    version = TemplateVersionFactory(variables=[{"name": "day", "type": "datetime", "example": "2026-11-22T10:15:00Z"}])
    words = TemplateContentFactory(version=version, locale="de", subject="{{ day|date:'F' }}", html="<p>x</p>")
    assert preview(words).title == "November"
    assert not preview(words).problem


@pytest.mark.django_db
def test_what_cannot_be_rendered_says_so_instead_of_failing():
    words = TemplateContentFactory(html="{% load x %}")
    assert preview(words).problem.startswith("html, line 1:")
