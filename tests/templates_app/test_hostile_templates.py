"""Heaps of pieces instead of templates, and values that try to break out: only our own refusals may come of it."""

import time
from contextlib import suppress
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from templates_app.markup import read_markup, runs_something
from templates_app.rendering import EmailWords, RenderingFailed, render_email
from templates_app.safe_engine import (
    RenderingStopped,
    TemplateSyntaxProblem,
    compile_html,
    compile_text,
    inert,
    variable_lines,
)
from templates_app.text_part import text_from_html

TAGS = [
    *("{{ x }}", "{{ y|upper }}", "{% if x %}", "{% else %}", "{% endif %}", "{% for i in rows %}", "{% endfor %}"),
    *("{{ i }}", "{{ x|linebreaksbr }}", "{% with z=x %}", "{{ z }}", "{% endwith %}", "{% firstof x y %}", "{# c #}"),
    *("{% comment %}", "{% endcomment %}", "{{ rows|join:', ' }}", "{{ x|default:y }}", "{{ x|urlencode }}"),
]
BROKEN = ["{{", "}}", "{%", "%}", "{#", "{{ x.__class__ }}", "{% load x %}", "{{ x|safe }}", "{{ forloop.parentloop }}"]
HTML = [
    *('<a href="', "<a href='", '<p title="', '<img alt="" src="', "<p ", "<td class=", '">', "'>", '"', "'", ">"),
    *("</a>", "<!--", "-->", "<!--[if mso]>", "<![endif]-->", "<title>", "</title>", "<style>", "</style>", "<b>"),
    *("href=", "src=", "hr", 'ef="', "title=", "</ti", "tle>", "--", "!"),
    *("https:", "mailto:", "javascript:", "/", "?", "=", " ", "\n", "&", "&#58;", "text", "<", "<textarea>", "<br/>"),
]
#: Values that want out of wherever they stand.
ESCAPES = [
    "\"><zz onq='1'>",
    "'><zz onq=1>",
    "--><zz>",
    "</title></style></script></textarea><zz>",
    " onq=1 ",
    "\nonq=1\n",
    "javascript:zz(1)",
    "java\tscript:zz(1)",
    ":zz//",
]


def heaps(*pieces):
    return st.lists(st.sampled_from(pieces), max_size=14).map("".join)


@settings(max_examples=120, deadline=None)
@given(heaps(*TAGS, *BROKEN, "text", "\n", "<p>"))
def test_any_source_compiles_or_is_refused_and_renders_or_is_stopped(source):
    try:
        templates = [compile_text(source), compile_html(source)]
        variable_lines(templates[0])
        text_from_html(source)
    except TemplateSyntaxProblem:
        return
    values = {name: inert(value) for name, value in {"x": "v", "y": 1, "rows": ["a", "b"]}.items()}
    for template in templates:
        with suppress(RenderingStopped):
            template.fill(values, until=time.thread_time() + 20)


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes, and all addresses."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.addresses = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value for name, value in attrs if name in ("href", "src") and value]


def page(source, value):
    values = {"x": value, "y": value, "rows": [value, value]}
    return render_email(EmailWords(subject="s", html=source, text="t"), values, locale="en").html


@settings(max_examples=250, deadline=None)
@given(heaps(*TAGS, *HTML), st.sampled_from(ESCAPES))
def test_where_the_checks_have_no_objection_no_value_breaks_out(source, hostile):
    try:
        compile_html(source)
    except TemplateSyntaxProblem:
        return
    if read_markup(source).problems:
        return
    try:
        harmless = Shape(page(source, "v"))
        attacked = Shape(page(source, hostile))
    except RenderingFailed:
        return
    assert [each for each in attacked.elements if each[0] != "br"] == [
        each for each in harmless.elements if each[0] != "br"
    ]
    assert not [each for each in attacked.addresses if runs_something(each)]


@pytest.mark.parametrize(
    "source",
    [
        '<a {% if x %}href="{{ x }}"{% endif %}>',
        '<a hr{# c #}ef="{{ x }}">',
        '<svg><a xlink:href="{{ x }}">',
        '<button formaction="{{ x }}">',
        '<a href="\n  {{ x }}">',
        "<a title='x'href='{{ x }}'>",
    ],
)
def test_every_address_is_looked_at_when_it_is_known(source):
    with pytest.raises(RenderingFailed, match="not a link"):
        page(source, "javascript:zz(1)")


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in rows %}" * 25 + "x" + "{% endfor %}" * 25,
        "{% with a=x|upper %}" * 25 + "{{ a }}" + "{% endwith %}" * 25,
        "{{ x|" + "|".join(["upper"] * 160) + " }}",
        "{{ rows|join:x }}" * 900,
        "{% if " + " and ".join(["x"] * 49) + " %}y{% endif %}",
        "{{ x|truncatechars:999999 }}" * 400,
        '{{ x|plural:"other=' + "#" * 900 + '" }}',
        '{{ n|plural:"other=' + "#" * 900 + '" }}' * 250,
        "{{ n|number:20 }}" * 4_000,
        '{{ n|currency:"EUR" }}' * 4_000,
    ],
)
def test_greedy_templates_end_in_time(source):
    """Within the time of one message, or stopped by a bound."""
    words = EmailWords(subject="s", html=source, text="t")
    values = {"x": "e\u0301" * 4_000, "rows": ["y" * 4_000] * 150, "n": 10**17}
    with suppress(RenderingFailed):
        render_email(words, values, locale="ar")
