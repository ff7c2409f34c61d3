"""Nothing an editor wrote gets lost on the way through the libraries that read markup."""

import socket

import pytest

from templates_app.compilation import CompilationProblem, html_from_mjml, with_styles_inlined
from templates_app.safe_engine import compile_html


def mjml(body, head=""):
    section = f"<mj-section><mj-column>{body}</mj-column></mj-section>"
    return f"<mjml><mj-head>{head}</mj-head><mj-body>{section}</mj-body></mjml>"


def filled(source, **values):
    return compile_html(source).fill(values, until=float("inf"))


def refused(compile_, source):
    with pytest.raises(CompilationProblem) as caught:
        compile_(source)
    return caught.value


# --- styles
def test_html_without_a_style_sheet_stays_to_the_letter():
    source = "<p>Hi {{ name }}<br>&nbsp;<table>{% for a in b %}<tr><td>{{ a }}{% endfor %}</table>"
    assert with_styles_inlined(source) == source


def test_rules_go_into_their_elements_and_the_others_stay():
    made = with_styles_inlined(
        "<style>p{color:red} a:hover{top:0} @media (prefers-color-scheme: dark){p{color:#fff!important}}</style>"
        "<p>x</p>"
    )
    assert '<p style="color: red;">x</p>' in made
    assert "a:hover { top: 0; }" in made
    assert "@media (prefers-color-scheme: dark){p{color:#fff!important}}" in made


def test_an_elements_own_style_wins_whatever_stands_in_it():
    made = with_styles_inlined(
        '<style>p{color:red}</style><p class=a style="color:{{ c }};*zoom:1">x</p><b style="top:0">y</b>'
    )
    assert '<p class="a" style="color: red;color:{{ c }};*zoom:1">x</p><b style="top:0">y</b>' in made


def test_tags_stay_in_attributes_text_and_between_rows():
    source = (
        "<style>td{color:red}</style>"
        '<p title="{{ a|default:"x > y" }}" class="{% if a %}big{% else %}small{% endif %}">'
        '{{ a }} {% firstof a "none" %}</p>'
        "<table>{% for row in rows %}<tr><td>{{ row.name }}</td></tr>{% empty %}<tr><td>-</td></tr>{% endfor %}</table>"
        '<a href="https://x.example/?a={{ a|urlencode }}&b=1">{# a note #}x</a><img src={{ link }} alt="">'
    )
    made = with_styles_inlined(source)
    row = '<tr><td style="color: red;">{{ row.name }}</td></tr>'
    assert (
        f'<table>{{% for row in rows %}}{row}{{% empty %}}<tr><td style="color: red;">-</td></tr>{{% endfor %}}</table>'
        in made
    )
    assert 'class="{% if a %}big{% else %}small{% endif %}"' in made
    assert 'title="{{ a|default:"x > y" }}"' in made
    assert '<a href="https://x.example/?a={{ a|urlencode }}&amp;b=1">x</a><img src="{{ link }}" alt="">' in made
    values = {"a": "", "rows": ({"name": "1"}, {"name": "2"}), "link": "https://x.example/a.png"}
    assert filled(made, **values).count("<tr>") == 2


def test_a_style_sheet_with_a_tag_stays_whole():
    made = with_styles_inlined("<style>p{color:red}</style><style>{% if x %}p{top:0}{% endif %}</style><p>x</p>")
    assert "<style>{% if x %}p{top:0}{% endif %}</style>" in made
    assert '<p style="color: red;">x</p>' in made


def test_tags_in_the_title_and_in_comments_for_outlook_stay():
    source = (
        "<!doctype html><html><head><title>{% if a %}A{% endif %} {{ a }}</title><style>b{top:0}</style></head><body>"
        "<!--[if mso]><table><tr><td>{% if a %}x{% endif %}<![endif]--><b>{{ a }}</b></body></html>"
    )
    made = with_styles_inlined(source)
    assert "<title>{% if a %}A{% endif %} {{ a }}</title>" in made
    assert "<!--[if mso]><table><tr><td>{% if a %}x{% endif %}<![endif]-->" in made


def test_braces_that_were_written_with_entities_do_not_become_tags():
    made = with_styles_inlined("<style>p{top:0}</style><p>&#123;&#123; name }} {&#37; x %}</p>")
    assert filled(made).endswith('<p style="top: 0;">&#123;{ name }} &#123;% x %}</p></body></html>')


def test_private_characters_cannot_pretend_to_be_a_tag():
    assert "{{ b }}" not in with_styles_inlined("<style>p{top:0}</style><p>{{ a }}\ue0030\ue004</p>").replace(
        "{{ a }}0", ""
    )


@pytest.mark.parametrize(
    ("markup", "line", "words"),
    [
        ("\n<p {% if a %}class='b'{% endif %}>x</p>", 2, "stands in a tag outside quotes"),
        ("\n\n<table>{{ a }}<tr><td>x</td></tr></table>", 3, "{{ a }} cannot stand here"),
        ("{% if a %}<h1>{% else %}\n<h2>{% endif %}x{% if a %}</h1>{% else %}</h2>{% endif %}", 1, "{% else %}"),
        ("{% for a in b %}\n<div>{% endfor %}</div>", 2, "whole elements"),
        ("<table><tr><td>a{% if a %}</td><td>{% endif %}b</td></tr></table>", 1, "whole elements"),
        ("<p>x</p>\n<!-- x", 2, "This comment has no end"),
        ("<p>\n<a href='x>y</a>", 2, "a quote is missing"),
        ("<p>\n{{ a", 2, "{{ without }}"),
        ("<p>\n<title>x", 2, "</title> is missing"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_line_and_remedy(markup, line, words):
    problem = refused(with_styles_inlined, "<style>p{top:0}</style>" + markup)
    assert problem.line == line
    assert words in problem.message


def test_nothing_is_fetched_and_no_file_is_read(monkeypatch, tmp_path):
    (tmp_path / "x.css").write_text("p{color:red}")

    def called(*args, **kwargs):
        raise AssertionError("somebody opened a connection")

    monkeypatch.setattr(socket, "socket", called)
    made = with_styles_inlined(
        f'<link rel="stylesheet" href="{tmp_path}/x.css"><link rel="stylesheet" href="http://127.0.0.1:9/x.css">'
        f'<style>@import url("{tmp_path}/x.css"); b{{top:0}}</style><p>x</p>'
    )
    assert "<p>x</p>" in made


@pytest.mark.parametrize("compile_", [with_styles_inlined, html_from_mjml])
@pytest.mark.parametrize("step", ["<div>", "<b>", "<div><table><tr><td></div>", "<mj-wrapper>"])
def test_what_would_use_up_the_stack_is_refused(compile_, step):
    problem = refused(compile_, "<style>p{top:0}</style>" + step * 2_000)
    assert "200 deep" in problem.message


# --- MJML
def test_mjml_becomes_html_with_its_tags_in_place():
    made = html_from_mjml(
        mjml(
            '<mj-text css-class="{{ a }}" color="{{ color }}">'
            "Hi {{ name }}, {% if a %}<b>yes</b><br/>{% endif %}&nbsp;&copy; é</mj-text>"
            '<mj-button href="{{ link }}">Go</mj-button>'
            "<mj-table>{% for row in rows %}<tr><td>{{ row.name }}</td></tr>{% endfor %}</mj-table>"
        )
    )
    assert "Hi {{ name }}, {% if a %}<b>yes</b><br" in made
    assert '<a href="{{ link }}"' in made
    assert "{% for row in rows %}<tr><td>{{ row.name }}</td></tr>{% endfor %}" in made
    assert "color:{{ color }}" in made
    values = {"a": "a", "color": "red", "name": "Ann", "link": "https://x.example", "rows": ({"name": "1"},) * 3}
    assert filled(made, **values).count("<tr><td>1</td></tr>") == 3


def test_a_loop_may_go_around_columns_and_sections():
    column = "<mj-column><mj-text>{{ a.name }}</mj-text></mj-column>"
    made = html_from_mjml(
        "<mjml><mj-body>{% for b in c %}<mj-section>{% for a in b.rows %}"
        + column
        + "{% endfor %}</mj-section>{% endfor %}</mj-body></mjml>"
    )
    html = filled(made, c=({"rows": ({"name": "A"}, {"name": "B"})},) * 2)
    assert html.count(">A<") == html.count(">B<") == 2
    assert html.count("<!--[if") == html.count("<![endif]-->")


def test_title_and_preview_may_hold_tags():
    made = html_from_mjml(
        mjml(
            "<mj-text>x</mj-text>", "<mj-title>{{ a }}</mj-title><mj-preview>{% if a %}{{ a }}!{% endif %}</mj-preview>"
        )
    )
    html = filled(made, a="Ann")
    assert "<title>Ann</title>" in html
    assert ">Ann!</div>" in html


def test_no_break_spaces_and_joiners_stay_in_attributes_of_mjml():
    assert 'alt="a\u00a0b\u200cc"' in html_from_mjml(
        mjml('<mj-image src="https://x.example/a.png" alt="a\u00a0b\u200cc"/>')
    )


def test_inline_rules_go_into_their_elements_and_dark_ones_stay():
    made = html_from_mjml(
        mjml(
            '<mj-text css-class="ink">{{ a }}</mj-text>',
            '<mj-style inline="inline">.ink{top:1px}</mj-style>'
            "<mj-style>@media (prefers-color-scheme: dark) { .ink { color: #fff !important } }</mj-style>",
        )
    )
    assert "top: 1px" in made
    assert "@media (prefers-color-scheme: dark) { .ink { color: #fff !important } }" in made


def test_a_compiled_mail_fetches_no_fonts():
    assert "fonts.g" not in html_from_mjml(mjml("<mj-text>x</mj-text>"))


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("<p>x</p>", 1, "MJML begins with <mjml>"),
        ("", 1, "MJML begins with <mjml>"),
        (mjml("\n<mj-txt>x</mj-txt>"), 2, "There is no <mj-txt> in MJML"),
        (mjml("\n<mj-include path='/etc/passwd' />"), 2, "nothing to include"),
        (mjml("\n\n<mj-text>a<br>b</mj-text>"), 3, "</mj-text> ends nothing here. <br> must end first"),
        ("<mjml><mj-body>\n<mj-section>", 2, "<mj-section> has no end"),
        (mjml("<mj-text>\n<p {{ a }}>x</p></mj-text>"), 2, "outside quotes"),
        (mjml("<mj-text>\n\n<p x=1=2>x</p></mj-text>"), 3, "This is not MJML"),
    ],
)
def test_faulty_mjml_is_refused_with_line_and_remedy(source, line, words):
    problem = refused(html_from_mjml, source)
    assert words in problem.message
    assert problem.line == line
