"""The text made from HTML: what is kept, what is left out, and that it stays a template."""

import re
import time

import pytest

from templates_app import text_part
from templates_app.safe_engine import TemplateSyntaxProblem, compile_text, inert
from templates_app.text_part import text_from_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("Just words", "Just words"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<h1>Head</h1>text<h2>Sub</h2>more", "Head\n\ntext\n\nSub\n\nmore"),
        ("<div>a</div><div>b</div>c", "a\nb\nc"),
        ("<div><div><p>a</p></div></div>\n\n<div>\n<p>b</p></div>", "a\n\nb"),
        ("a<br>b<br/>c<br><br>d", "a\nb\nc\n\nd"),
        ("  much   \n\t space&nbsp;here ", "much space here"),
        ("a<b>b</b> <i>c</i>d", "ab cd"),
        ("&lt;b&gt; &amp; O&#x27;Brien &euro;", "<b> & O'Brien €"),
        ('<a href="https://a.example/x?y=1&amp;z=2">Confirm</a>.', "Confirm (https://a.example/x?y=1&z=2)."),
        ('<a href="https://a.example">https://a.example</a>', "https://a.example"),
        ('<a href="https://a.example"></a>', "https://a.example"),
        ('<a href="https://a.example"><img src="x" alt="Logo"></a>', "Logo (https://a.example)"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ('<a href="mailto:a@b.example">Write</a>', "Write (mailto:a@b.example)"),
        ('<a href="#top">Top</a> <a name="top">here</a>', "Top here"),
        ('<a href="https://a.example"><div><p>Button</p></div></a><p>next</p>', "Button (https://a.example)\n\nnext"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<ol><li>one<li><p>two</p></ol>after", "- one\n- two\n\nafter"),
        ("a<ul><li>b<ul><li>c</li></ul></li><li>d</li></ul>e", "a\n\n- b\n  - c\n- d\n\ne"),
        ("<ul><li></li><li>b</li></ul>", "-\n- b"),
        (
            "<table><tr><th>Item</th><th>Price</th></tr><tr> <td>Tea</td> <td>2</td> </tr></table>",
            "Item | Price\nTea | 2",
        ),
        ("<table><tr><td><table><tr><td>deep</td></tr></table></td><td></td></tr></table>end", "deep\n\nend"),
        ('<img alt="A picture" src="x"><img src="y"><img alt="" src="z">', "A picture"),
        ("a<hr>b", "a\n\n---\n\nb"),
        ("<style>p{}</style><script>if (a<b) x()</script>a<title>t</title>", "a"),
        ("<head><title>t</title><style>x</style></head><body>b</body>", "b"),
        ("<head><title>t</title><body>b", "b"),
        ('<div style="display: none">pre</div><p hidden>x</p><span style="visibility:hidden">y</span>b', "b"),
        ('<div style="display:none">a<div>b</div>c</div>d', "d"),
        ('<img style="display:none" alt="x">b', "b"),
        ("a<!-- no <p>comment</p> -->b<!-- unclosed <p>c</p>", "ab"),
        ("<!DOCTYPE html><!--[if mso]><td>x</td><![endif]-->a<![if !mso]>b<![endif]><?xml x?>", "ab"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("1 < 2 and <3", "1 < 2 and <3"),
        ("<p", "<p"),
        ("</p></ul></a></table>a", "a"),
    ],
)
def test_html_as_text(html, text):
    assert text_from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hi {{ name|default:'you' }},</p>", "Hi {{ name|default:'you' }},"),
        ('<a href="{{ link }}">confirm</a>', "confirm ({{ link }})"),
        ('<a href="{{ link }}">{{ link }}</a>', "{{ link }}"),
        ('<a href="https://a.example/{{ id }}">{{ title }}</a>', "{{ title }} (https://a.example/{{ id }})"),
        ("{{ a|default:'<p>' }}{% if a > b %}x{% endif %}", "{{ a|default:'<p>' }}{% if a > b %}x{% endif %}"),
        ("a{# note #}b", "ab"),
        ("{{ note|linebreaksbr }} {{ note|upper | linebreaksbr }}", "{{ note }} {{ note|upper  }}"),
        ('<td {% if x %}class="a"{% endif %}>b</td>', "b"),
        ("&#123;&#123; x }} <b>{</b>% y %}", "{ { x }} { % y %}"),
        ("\ue0000\ue002 {{ a }}", "0 {{ a }}"),
    ],
)
def test_placeholders_and_tags_stay_as_they_are(html, text):
    assert text_from_html(html) == text


def render(html, **values):
    template = compile_text(text_from_html(html))
    return template.fill({name: inert(value) for name, value in values.items()}, until=time.thread_time() + 20)


def test_lines_come_and_go_with_the_tag_around_them():
    html = "<p>Hello</p>\n{% if vip %}\n  <p>Thanks</p>\n{% else %}<p>Join</p>{% endif %}\n<p>Bye</p>"
    assert render(html, vip=True) == "Hello\n\nThanks\n\nBye"
    assert render(html, vip=False) == "Hello\n\nJoin\n\nBye"


def test_a_loop_over_table_rows_makes_a_line_for_each():
    html = """<table><tr><th>Item</th><th>Qty</th></tr>
      {% for item in items %}<tr><td>{{ item.name }}</td><td>{{ item.qty }}</td></tr>{% endfor %}</table><p>Bye</p>"""
    items = [{"name": "Tea", "qty": 1}, {"name": "Cup", "qty": 2}]
    assert render(html, items=items) == "Item | Qty\nTea | 1\nCup | 2\n\nBye"


def test_a_loop_over_list_entries_makes_a_dash_for_each():
    assert render("<ul>{% for x in items %}<li>{{ x }}</li>{% endfor %}</ul>", items=["a", "b"]) == "- a\n- b\n"


def test_a_template_that_does_not_compile_is_refused_before_it_is_searched(monkeypatch):
    monkeypatch.setattr(text_part, "TEMPLATE_TAG", None)
    with pytest.raises(TemplateSyntaxProblem):
        text_from_html("{{" * 20_000)


@pytest.mark.parametrize("piece", ["<a ", "<a b=", "<a '", "<a <", "<a b='", "<!--", "<![", "<!"])
def test_no_unclosed_tag_reaches_the_parser_whose_search_for_its_end_is_quadratic(piece, monkeypatch):
    fed = []
    monkeypatch.setattr(text_part._Reader, "feed", lambda self, data: fed.append(data))
    text_from_html(piece * 1_000)
    assert not re.search(r"<(?![^<>]*>)", fed[0])


def test_a_picture_written_out_as_data_is_left_out():
    assert text_from_html(f'a<img alt="x" src="data:image/png;base64,{"A" * 20_000}">b') == "ab"
