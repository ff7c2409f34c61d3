"""Where values may stand in HTML, and that reading it takes no time, whatever is in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from templates_app.markup import read_markup, runs_something

FINE = [
    '<a href="{{ link }}">x</a>',
    '<a href="https://a/{{ id }}">',
    "<a href='mailto:{{ m }}'>",
    '<a href="{% firstof a b %}">',
    '<a href="https://a/{% if x %}{{ x }}{% endif %}">',
    '<a href="{% if x %}https://a{% else %}https://b{% endif %}">',
    '<td {% if x %}class="a"{% endif %}>{{ y }}</td>',
    '<td class="a"{% if x %} dir="rtl"{% endif %}>',
    '<td{% if x %} dir="rtl"{% endif %}>',
    '<p title="{{ x }}" style="color:{{ c }}">',
    "<img src='{{ a }}' alt=''>",
    "{% if a %}<b>{% endif %}",
    "<!-- {{ x }} -->",
    "<title>{{ a }}</title>",
    '<!--[if mso]><td width="{{ w }}"><![endif]-->',
    "a < b {{ x }}",
    '<script type="application/ld+json">{"a":1}</script>',
    '<img alt="" src="data:image/png;base64,AAAA"><a href="tel:+43">',
]
REFUSED = [
    '<a href="/x/{{ id }}">',
    "<a href={{ link }}>",
    "<p {{ attrs }}>",
    "<{{ t }}>",
    '<p ti{{ x }}="a">',
    "<script>{{ x }}</script>",
    "<style>{{ c }}</style>",
    "<style>a{b:c} {% if x %}{{ x }}{% endif %}</style>",
    '<p onclick="{{ x }}">',
    '<p onclick="alert(1)">',
    '<a href="{{ a }}{{ b }}">',
    '<a href="{{ a }}:x">',
    '<a href="{% if a %}https://x/{% else %}{{ y }}{% endif %}">',
    '{% if a %}<a href="{% endif %}',
    '<a href="javascript:alert(1)">',
    '<a href="jav&#x61;&#10;script:x">',
    '<a href="data:text/html,x">',
    "<!--> <script>{{ x }}</script> -->",
    "<!--[if mso]><p {{ x }}><![endif]-->",
    '<iframe src="https://a">',
    '<base href="https://a">',
    "<p title={{ x }}>",
    "<svg/onload={{x}}>",
    '<meta http-equiv="refresh" content="0">',
    '<iframe srcdoc="{{ x }}">',
    "<a title='a{% if x %}' href='{% endif %}{{ y }}'>",
    "<scr{# #}ipt>{{ x }}</script>",
    "<img srcset='{{ a }}, {{ b }}' alt=''>",
    '<a hr{% if x %}ef="{{ y }}"{% endif %}>',
    '<a href{% if x %}="{{ y }}"{% endif %}>',
    "<s{% if x %}vg{% else %}cript{% endif %}>{{ y }}</script>",
    "<title></ti{% if x %}tle>{% endif %}<p {{ y }}>",
    "<!-- --{{ x }}> <p {{ y }}> -->",
    '<p title="><p {{ x }}>',
    "<p {% if x %}a{% endif %}",
    "<p>x</p><!-- y",
    "<!-- --{% if x %}>{% endif %} <p {{ y }}> -->",
    '<a href="' + " " * 100 + '{{ x }}">',
]


@pytest.mark.parametrize("html", FINE)
def test_where_values_may_stand(html):
    assert read_markup(html).problems == []


@pytest.mark.parametrize("html", REFUSED)
def test_where_they_may_not(html):
    assert read_markup(html).problems


def test_lines_links_and_pictures_are_told():
    found = read_markup('<p>\n<a href="http://a.example/x">\n<img src="{{ i }}">\n<p {{ x }}>')
    assert found.addresses == [(2, "http://a.example/x"), (3, "{{…}}")]
    assert found.pictures_without_alt == [3]
    assert [line for line, _ in found.problems] == [4]


@pytest.mark.parametrize("address", ["vbscript:x", " java\tscript:x", "&#106;avascript:x", "file:///etc", "data:,x"])
def test_addresses_that_run_something(address):
    assert runs_something(address)


@pytest.mark.parametrize("address", ["https://a", "/x", "cid:logo", "sms:1", "data:image/gif;base64,R0"])
def test_addresses_that_do_not(address):
    assert not runs_something(address)


PIECES = ["<", ">", "<a ", "<!--", "-->", "<script>", "</", "=", '"', "'", "{{ x }}", "{% if x %}", "{% endif %}"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, " ", "href", "style", "a", "\n", "<![endif]-->", "<!--[if x]>", "&"])))
def test_any_heap_of_pieces_is_read_to_its_end(pieces):
    read_markup("".join(pieces))


@pytest.mark.parametrize("piece", PIECES)
def test_a_long_source_is_read_once(piece, monkeypatch):
    """Without a clock: the reader looks for the end of what it is in at most as often as there are pieces."""
    found = read_markup(piece * (60_000 // len(piece)))
    assert len(found.problems) <= 20
