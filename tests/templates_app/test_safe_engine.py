"""The template language: what it offers, what it refuses, and what stops a template that asks for too much."""

import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import override

from templates_app import bounded_nodes, safe_engine
from templates_app.safe_engine import (
    RenderingStopped,
    SafeEngine,
    TemplateSyntaxProblem,
    ValueNotAllowed,
    compile_html,
    compile_text,
    inert,
    referenced_variables,
    refuse_unpaired_delimiters,
    variable_lines,
)

ALLOWED_FILTERS = {
    *("upper", "lower", "title", "capfirst", "default", "default_if_none", "date", "time", "pluralize"),
    *("truncatechars", "yesno", "floatformat", "length", "first", "last", "join", "urlencode", "linebreaksbr"),
    *("number", "currency", "plural"),
}
NOON = datetime(2026, 3, 5, 12, 30, tzinfo=timezone(timedelta(hours=2)))


def fill(source, /, *, html=False, until=None, **values):
    template = (compile_html if html else compile_text)(source)
    plain = {name: inert(value) for name, value in values.items()}
    return template.fill(plain, until=time.thread_time() + 20 if until is None else until)


def stops(source, /, **values):
    with pytest.raises(RenderingStopped) as stopped:
        fill(source, **values)
    return stopped.value


def problem_of(source):
    with pytest.raises(TemplateSyntaxProblem) as problem:
        compile_text(source)
    return problem.value


class TestLanguage:
    def test_the_library_holds_exactly_the_documented_tags_and_filters(self):
        (library,) = SafeEngine(loaders=[]).template_builtins
        assert set(library.tags) == {"if", "for", "with", "firstof", "comment"}
        assert set(library.filters) == ALLOWED_FILTERS

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("Hi {{ name }}!", "Hi Ann!"),
            ("{{ name|upper }} {{ name|lower }} {{ name|capfirst }} {{ name|title }}", "ANN ann Ann Ann"),
            ("{{ nothing }}|{{ nothing|default:'x' }}|{{ nothing|default_if_none:name }}", "|x|Ann"),
            ("{% if items and not nothing %}yes{% elif nothing %}no{% else %}-{% endif %}", "yes"),
            ("{% for each in items %}{{ forloop.counter }}{{ each.title }} {% endfor %}", "1A 2B "),
            ("{% for each in items reversed %}{{ each.title }}{% endfor %}", "BA"),
            ("{% for a, b in pairs %}{{ a }}{{ b }} {% endfor %}", "12 34 "),
            ("{% for x in empty %}x{% empty %}none{% endfor %}", "none"),
            ("{% for x in nothing %}x{% empty %}none{% endfor %}", "none"),
            ("{% for x in pairs %}{% for y in x %}{{ forloop.parentloop.counter }}{% endfor %}{% endfor %}", "1122"),
            ("{% with t=items.0.title %}{{ t }}{{ t }}{% endwith %}", "AA"),
            ("{% firstof nothing empty name %}", "Ann"),
            ("{% firstof nothing name as who %}{{ who }}", "Ann"),
            ("a{% comment %}{{ broken|nonsense }}{% endcomment %}b{# note #}c", "abc"),
            ("{{ items.1.title }}{{ name.0 }}{{ pairs.0.1 }}", "BA2"),
            ("{{ items|length }} thing{{ items|length|pluralize }}", "2 things"),
            ("{{ name|truncatechars:2 }}", "A…"),
            ("{{ flag|yesno:'on,off' }} {{ 3.14159|floatformat:2 }}", "on 3.14"),
            ("{{ pairs.0|join:'-' }} {{ pairs.0|first }} {{ pairs.0|last }}", "1-2 1 2"),
            ("{{ 'a b&c'|urlencode }}", "a%20b%26c"),
            ("{{ when|date:'Y-m-d' }} {{ when|time:'H:i' }}", "2026-03-05 12:30"),
            ("{{ text_moment|date:'d.m.Y' }}", "24.12.2026"),
            ("{% if 3 in pairs.1 and name == 'Ann' %}x{% endif %}", "x"),
        ],
    )
    def test_what_authors_may_write(self, source, expected):
        values = {
            "name": "Ann",
            "nothing": None,
            "empty": [],
            "items": [{"title": "A"}, {"title": "B"}],
            "pairs": [[1, 2], [3, 4]],
            "flag": True,
            "when": NOON,
            "text_moment": "2026-12-24T18:00:00Z",
        }
        assert fill(source, **values) == expected

    def test_html_is_escaped_and_text_is_not(self):
        name = "<b>O'Brien & Co</b>"
        assert fill("{{ name }}", html=True, name=name) == "&lt;b&gt;O&#x27;Brien &amp; Co&lt;/b&gt;"
        assert fill("{{ name }}", name=name) == name

    @pytest.mark.parametrize(
        "source",
        [
            "{{ x|default:'-' }}",
            "{{ x|upper }}",
            "{{ x|truncatechars:100 }}",
            "{{ x|linebreaksbr }}",
            "{{ x|default_if_none:'' }}",
            "{{ ''|default:x }}",
            "{% firstof x %}",
            "{% firstof x as y %}{{ y }}",
            "{% with y=x %}{{ y }}{% endwith %}",
            "{{ rows|join:'<br>' }}",
            "{{ rows|first }}",
            "{{ one|join:x }}",
            "{{ 1|yesno:x }}",
            "{{ 2|pluralize:x }}",
            "{{ when|date:x }}",
        ],
    )
    def test_no_filter_or_tag_lets_a_value_into_html_unescaped(self, source):
        bad = "<SCRIPT>"
        assert bad not in fill(source, html=True, x=bad, rows=[bad], one=["a", "b"], when=NOON).upper()

    def test_a_value_is_never_read_as_a_template(self):
        assert fill("{{ a }}", a="{{ b }}{% debug %}", b="secret") == "{{ b }}{% debug %}"

    def test_moments_and_numbers_are_written_in_the_active_language_and_the_given_offset(self):
        with override("de"):
            assert fill("{{ when|date:'j. F' }} {{ price }}", when=NOON, price=9.5) == "5. März 9,5"
            assert fill("{{ when }}", when=NOON) == "5. März 2026 12:30"

    def test_none_is_written_as_nothing(self):
        assert fill("[{{ a }}]", a=None) == "[]"


class TestRefusedSources:
    @pytest.mark.parametrize(
        "source",
        [
            "{% load i18n %}",
            "{% include 'admin/base.html' %}",
            "{% extends 'base.html' %}",
            "{% block a %}{% endblock %}",
            "{% endblock %}",
            "{% endif %}",
            "{% debug %}",
            "{% autoescape off %}{% endautoescape %}",
            "{% cycle 'a' 'b' %}",
            "{% now 'Y' %}",
            "{% lorem 100000 %}",
            "{% url 'x' %}",
            "{% filter upper %}{% endfilter %}",
            "{% csrf_token %}",
            "{% verbatim %}{{ x }}{% endverbatim %}",
            "{% widthratio 1 2 3 %}",
            "{% regroup a by b as c %}",
            "{% templatetag openblock %}",
            "{{ a|safe }}",
            "{{ a|ljust:300000000 }}",
            "{{ a|center:300000000 }}",
            "{{ a|stringformat:'300000000d' }}",
            "{{ a|add:a }}",
            "{{ a|make_list }}",
            "{{ a|dictsort:'x' }}",
            "{{ a|pprint }}",
            "{{ a|random }}",
            "{{ a|slice:':1' }}",
            "{{ a|wordwrap:1 }}",
            "{{ a.__class__ }}",
            "{{ a.b._private }}",
            "{{ _a }}",
            "{{ a|default:_b }}",
            "{{ a|default:b.__class__ }}",
            "{% if a.__class__ %}{% endif %}",
            "{% for _x in a %}{% endfor %}",
            "{% with _x=a %}{% endwith %}",
            "{% firstof a as _x %}",
            "{{ _('Save') }}",
            "{{ a|default:_('Save') }}",
            "{% if _('Save %}{% endif %}",
            "{{ }}",
            "{% %}",
            "{{ a..b }}",
            "{{ a. }}",
            "{{ a b }}",
            "{{ '{0.__class__}'.format }}",
            "{{ a() }}",
            "{{ a|date:'Y':'m' }}",
            "{% if %}{% endif %}",
            "{% if a == %}{% endif %}",
            "{% if a %}",
            "{% for a %}{% endfor %}",
            "{% for a.b in c %}{% endfor %}",
            "{% comment %}",
            "{% with %}{% endwith %}",
            "{% firstof %}",
        ],
    )
    def test_what_is_not_in_the_language_is_a_syntax_problem(self, source):
        problem = problem_of("first line\n" + source)
        assert problem.line == 2
        assert problem.message

    def test_a_problem_names_its_line_and_what_was_written(self):
        problem = problem_of("a\nb\n{% include 'x' %}")
        assert (problem.line, problem.message) == (3, "There is no tag 'include' here.")
        assert problem_of("{{ a|safe }}").message == "There is no filter 'safe'."

    @pytest.mark.parametrize("source", ["{{ a", "{% if a", "{# a", "{{ a\n}}", "{#\n#}", "@media{#nav{top:0}}"])
    def test_delimiters_that_do_not_end_on_their_line_are_refused(self, source):
        assert problem_of("x\n" + source).line == 2

    @pytest.mark.parametrize("source", ["a{b:c}} d", "{width:100%}", "#}", "{ { x } }", "@media x{ #nav{top:0}}", ""])
    def test_braces_that_begin_no_tag_are_text(self, source):
        assert fill(source) == source

    @pytest.mark.parametrize("piece", ["{#", "{{", "{%", "{# {{ {%", "{{ }"])
    def test_unclosed_delimiters_never_reach_django_whose_search_for_the_end_is_quadratic(self, piece, monkeypatch):
        searches = []
        looking = bounded_pattern(safe_engine.OPENING_DELIMITER, searches)
        monkeypatch.setattr(safe_engine, "OPENING_DELIMITER", looking)
        monkeypatch.setattr(safe_engine, "Lexer", None)
        source = piece * (40_000 // len(piece))
        with pytest.raises(TemplateSyntaxProblem):
            compile_text(source)
        assert len(searches) <= 2

    def test_delimiters_are_looked_at_once_each(self, monkeypatch):
        searches = []
        monkeypatch.setattr(safe_engine, "OPENING_DELIMITER", bounded_pattern(safe_engine.OPENING_DELIMITER, searches))
        refuse_unpaired_delimiters("{{ a }}{# b #}" * 100)
        assert len(searches) == 201

    @pytest.mark.parametrize(
        "source",
        [
            "x" * (safe_engine.MAX_SOURCE + 1),
            "{{ a }}" * (safe_engine.MAX_TAGS + 1),
            "{{ a|default:'" + "x" * 1000 + "' }}",
            "{% if " + "not " * 200 + "a %}{% endif %}",
            "{% if " + "a or " * 100 + "a %}{% endif %}",
            "{% if a %}{% elif " + "a or " * 100 + "a %}{% endif %}",
            "{% if a %}" * 2000 + "{% endif %}" * 2000,
            "{% for a in b %}" * 2000 + "{% endfor %}" * 2000,
            "{% with a=b %}" * 31 + "{% endwith %}" * 31,
            "{% if a %}" * 2000,
        ],
    )
    def test_sources_that_are_too_large_or_too_deep_are_refused(self, source):
        problem_of(source)

    def test_nesting_and_length_up_to_the_limits_work(self):
        assert fill("{% if a %}x{% endif %}" * 100, a=True) == "x" * 100
        assert fill("{{ 1|floatformat:20 }}") == "1." + "0" * 20
        assert fill("{% if a %}" * 29 + "x" + "{% endif %}" * 29, a=True) == "x"
        assert fill("{% if " + "a or " * 49 + "b %}x{% endif %}", a=False, b=True) == "x"

    def test_a_recursion_error_inside_django_is_a_syntax_problem(self, monkeypatch):
        monkeypatch.setattr(safe_engine, "MAX_NESTING", 100_000)
        problem_of("{% if a %}" * 4000 + "{% endif %}" * 4000)


def bounded_pattern(pattern, searches):
    class Counting:
        def search(self, *arguments):
            searches.append(arguments)
            return pattern.search(*arguments)

    return Counting()


class TestStoppedRendering:
    @pytest.mark.parametrize(
        "source",
        [
            "{{ missing }}",
            "{{ row.missing }}",
            "{{ name.upper }}",
            "{{ name.encode }}",
            "{{ name.format }}",
            "{{ row.clear }}",
            "{{ row.items }}",
            "{{ row.copy }}",
            "{{ rows.append }}",
            "{{ rows.9 }}",
            "{{ rows.count }}",
            "{{ when.now }}",
            "{{ when.tzinfo }}",
            "{{ when.year }}",
            "{{ number.real }}",
            "{{ number.to_bytes }}",
            "{{ True.real }}",
            "{{ missing|upper }}",
            "{{ name|default:missing }}{{ missing }}",
            "{% with x=missing %}{% endwith %}",
            "{% for x in missing %}{% endfor %}",
            "{% for x in rows %}{{ forloop.clear }}{% endfor %}",
            "{% for x in rows %}{{ forloop.parentloop.clear }}{% endfor %}",
        ],
    )
    def test_a_name_without_a_value_stops_and_nothing_is_ever_called(self, source):
        values = {"name": "Ann", "row": {"a": 1}, "rows": [1, 2], "when": NOON, "number": 5}
        stopped = stops("\n" + source, **values)
        assert stopped.line == 2

    def test_a_missing_name_is_expected_by_if_firstof_and_default(self):
        source = "{% if row.x %}a{% else %}b{% endif %}{% firstof row.x 'c' %}{{ row.x|default:'d' }}"
        assert fill(source, row={}) == "bcd"

    @pytest.mark.parametrize("source", ["{{ rows }}", "{{ rows.0 }}", "{% for r in rows %}{{ forloop }}{% endfor %}"])
    def test_a_list_or_object_is_not_written_as_python_writes_it(self, source):
        assert "for tag" in stops(source, rows=[{"a": 1}]).message

    @pytest.mark.parametrize("source", ["{% for x in name %}{% endfor %}", "{% for x in number %}{% endfor %}"])
    def test_a_loop_goes_through_lists_only(self, source):
        assert "is not a list" in stops(source, name="Ann", number=5).message

    @pytest.mark.parametrize(
        "source",
        [
            "{{ number|floatformat:1000000 }}",
            "{{ number|floatformat:21 }}",
            "{{ number|floatformat:'-999g' }}",
            "{{ number|floatformat:'-999999999999' }}",
            "{{ number|floatformat:name }}",
            "{{ name|floatformat:2 }}",
            "{{ when|date:'__file__' }}{{ name|date }}",
            "{{ name|time:'H' }}",
            "{{ number|date }}",
            "{{ when|date:long }}",
            "{{ when|date:number }}",
            "{{ day|date:'H:i' }}",
            "{{ name|join:name }}",
            "{{ texts|join:long|join:long }}",
            "{{ number|first }}",
            "{{ number|pluralize:5 }}",
            "{{ huge|pluralize }}",
            "{{ number|yesno:5 }}",
            "{{ name|truncatechars:1e999 }}",
            "{{ number|urlencode:5 }}",
            "{% for a, b in triples %}{% endfor %}",
        ],
    )
    def test_a_misused_filter_stops_the_part_and_keeps_its_values_to_itself(self, source):
        values = {"name": "tell-nobody", "number": 5, "huge": 10**400, "when": NOON, "day": date(2026, 3, 5)}
        stopped = stops(source, long="tell-nobody" * 900, texts=["a"] * 200, triples=[[1, 2, 3]], **values)
        assert "tell-nobody" not in stopped.message
        assert stopped.line == 1

    @pytest.mark.parametrize("form", ["__file__", "__builtins__", "__doc__", "DATE_INPUT_FORMATS"])
    def test_a_date_format_is_letters_and_never_a_name_in_a_module(self, form):
        with override("de"):
            text = fill("{{ when|date:form }}", when=NOON, form=form)
            stops("{{ when|time:form }}", when=NOON, form="__name__")
        assert "django" not in text
        assert len(text) < 200

    def test_named_date_formats_follow_the_language(self):
        with override("de"):
            assert fill("{{ when|date:'SHORT_DATE_FORMAT' }}", when=NOON) == "05.03.2026"

    @pytest.mark.parametrize(
        "source",
        [
            "{% for a in rows %}{% for b in rows %}{% for c in rows %}x{% endfor %}{% endfor %}{% endfor %}",
            "{% for a in rows %}{% for b in rows %}{% for c in rows %}{% endfor %}{% endfor %}{% endfor %}",
            "{% for a in rows %}{% for b in rows %}{% for c in rows reversed %}{% endfor %}{% endfor %}{% endfor %}",
            "{% for a in rows %}{% for b in rows %}{% if a|upper == b|upper %}{% endif %}{% endfor %}{% endfor %}",
        ],
    )
    def test_nested_loops_stop_at_so_many_passes(self, source, monkeypatch):
        passes = []
        begin_pass = bounded_nodes.BoundedContext.begin_pass
        monkeypatch.setattr(
            bounded_nodes.BoundedContext, "begin_pass", lambda self: passes.append(1) or begin_pass(self)
        )
        assert "passes" in stops(source, rows=["row"] * 200).message
        assert len(passes) == bounded_nodes.MAX_PASSES + 1

    @pytest.mark.parametrize("inside", ["{{ text }}", "x" * 10_000, "{% firstof text %}"])
    def test_output_stops_while_it_is_made(self, inside, monkeypatch):
        written = []
        wrote = bounded_nodes.BoundedContext.wrote
        monkeypatch.setattr(
            bounded_nodes.BoundedContext, "wrote", lambda self, length: written.append(length) or wrote(self, length)
        )
        source = f"{{% for a in rows %}}{{% for b in rows %}}{inside}{{% endfor %}}{{% endfor %}}"
        assert "512 KiB" in stops(source, rows=["row"] * 90, text="x" * 10_000).message
        assert bounded_nodes.MAX_OUTPUT < sum(written) < bounded_nodes.MAX_OUTPUT + 10_001

    def test_escaped_text_counts_as_it_is_written(self):
        with pytest.raises(RenderingStopped, match="512 KiB"):
            fill("{% for a in rows %}{{ text }}{% endfor %}", html=True, rows=[1] * 20, text="'" * 10_000)

    def test_join_looks_at_the_length_before_it_makes_a_text(self):
        stopped = stops("{{ texts|join:long }}", texts=["a"] * 200, long="x" * 10_000)
        assert stopped.message == "join makes too much text."

    def test_output_is_limited_in_bytes(self):
        source = "{% for a in rows %}{{ text }}{% endfor %}"
        assert len(fill(source, rows=[1] * 20, text="x" * 10_000)) == 200_000
        assert "512 KiB" in stops(source, rows=[1] * 20, text="€" * 10_000).message

    def test_what_is_put_aside_is_limited_too(self):
        source = "".join(f"{{% firstof rows|join:text as x{index} %}}" for index in range(100))
        assert "too much text" in stops(source, rows=["a"] * 40, text="x" * 10_000).message
        escaped = "".join(f"{{% firstof text as x{index} %}}" for index in range(500))
        with pytest.raises(RenderingStopped, match="too much text"):
            fill(escaped, html=True, text="<" * 10_000)

    def test_filters_that_swell_a_text_are_limited(self):
        source = "{{ text" + "|urlencode" * 90 + " }}"
        assert "too much text" in stops(source, text="€" * 10_000).message

    @pytest.mark.parametrize(
        "source",
        [
            "{% for a in rows %}{% endfor %}",
            "{{ a|upper }}",
            "{% if a|upper == 'A' %}x{% endif %}",
            "{{ a }}" * 20,
            "{% if " + "a and " * 40 + "a %}{% endif %}",
        ],
    )
    def test_rendering_stops_when_its_time_is_over(self, source):
        with pytest.raises(RenderingStopped, match="too long"):
            fill(source, until=0.0, rows=["row"], a="a")

    def test_many_combining_marks_do_not_reach_the_quadratic_normalisation(self):
        text = fill("{{ rows|join:''|truncatechars:400000 }}", rows=["a" + "\u0316\u0301" * 1000] * 100)
        assert len(text) <= 5_001

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "JaVa\tScRiPt:x", " \x01data:text/html,x", "vbscript:x"])
    @pytest.mark.parametrize(
        "source",
        [
            '<a href="{{ x }}">',
            "<a class=b HREF = '{{ x }}'>",
            "<img src={{ x }}>",
            '<a href="{% if x %}{{ x }}{% endif %}">',
            '<a href="{% firstof x %}">',
        ],
    )
    def test_a_link_that_would_run_something_is_stopped(self, link, source):
        with pytest.raises(RenderingStopped, match="https, http or mailto"):
            fill(source, html=True, x=link)

    @pytest.mark.parametrize("link", ["https://a.example/?a:b", "mailto:a@b.example", "/a:b", "?x=javascript:1", "7"])
    def test_other_links_are_written(self, link):
        assert fill('<a href="{{ x }}">{{ y }}</a>', html=True, x=link, y="javascript:") == (
            f'<a href="{link}">javascript:</a>'
        )

    def test_a_compiled_template_can_be_filled_again_after_it_was_stopped(self):
        template = compile_text("{{ a.b }}")
        with pytest.raises(RenderingStopped):
            template.fill({"a": inert({})}, until=time.thread_time() + 20)
        assert template.fill({"a": inert({"b": 1})}, until=time.thread_time() + 20) == "1"


class TestInert:
    def test_data_becomes_unchangeable_and_keeps_its_values(self):
        data = {"a": [1, 2.5, Decimal("1.20"), True, None, {"b": "c"}], "d": date(2026, 1, 1), "e": NOON}
        plain = inert(data)
        assert plain == {"a": (1, 2.5, Decimal("1.20"), True, None, {"b": "c"}), "d": date(2026, 1, 1), "e": NOON}
        assert isinstance(plain, MappingProxyType)
        assert isinstance(plain["a"], tuple)
        assert inert(plain) == plain

    def test_later_changes_of_the_original_do_not_show(self):
        data = {"a": [1]}
        plain = inert(data)
        data["a"].append(2)
        data["b"] = 3
        assert plain == {"a": (1,)}

    @pytest.mark.parametrize(
        "value",
        [
            object(),
            b"bytes",
            {1, 2},
            iter([]),
            len,
            int,
            1j,
            mark_safe("<b>"),
            type("Sly", (str,), {})("x"),
            type("Sly", (dict,), {})(),
            {"a": [object()]},
            {1: "a"},
            {mark_safe("a"): 1},
            float("nan"),
            float("inf"),
            Decimal("NaN"),
            Decimal("Infinity"),
            timedelta(1),
            UTC,
        ],
    )
    def test_anything_else_is_refused(self, value):
        with pytest.raises(ValueNotAllowed):
            inert(value)
        assert issubclass(ValueNotAllowed, TypeError)

    def test_endless_nesting_is_refused(self):
        endless = []
        endless.append(endless)
        with pytest.raises(ValueNotAllowed):
            inert(endless)


class TestReferencedVariables:
    @pytest.mark.parametrize(
        ("source", "names"),
        [
            ("no tags", set()),
            ("{{ a }} {{ b.c.d }} {{ 5 }} {{ 'x' }} {{ True }} {{ None }}", {"a", "b"}),
            ("{{ a|default:b|truncatechars:c }}", {"a", "b", "c"}),
            ("{% if a and not b.x or c|length > d %}{{ e }}{% elif f %}{% else %}{{ g }}{% endif %}", set("abcdefg")),
            ("{% for x in a %}{{ x.y }}{{ forloop.counter }}{{ b }}{% empty %}{{ c }}{% endfor %}", set("abc")),
            ("{% for x, y in a %}{{ x }}{{ y }}{% endfor %}{{ x }}{{ forloop }}", {"a", "x", "forloop"}),
            ("{% for x in a %}{% for y in x.z %}{{ x }}{{ y }}{{ b }}{% endfor %}{{ y }}{% endfor %}", {"a", "b", "y"}),
            ("{% for x in x %}{{ x }}{% endfor %}", {"x"}),
            ("{% with x=a y=b.c|default:d %}{{ x }}{{ y }}{{ e }}{% endwith %}{{ y }}", {"a", "b", "d", "e", "y"}),
            ("{% with x=a y=x %}{{ y }}{% endwith %}", {"a", "x"}),
            ("{% firstof a b 'c' as x %}{{ x }}", {"a", "b"}),
            ("{{ x }}{% firstof a as x %}", {"a", "x"}),
            ("{% if a %}{% firstof b as x %}{{ x }}{% endif %}{{ x }}", {"a", "b", "x"}),
            ("{% comment %}{{ a }}{% endcomment %}{# {{ b }} #}", set()),
        ],
    )
    def test_top_level_names_without_those_bound_inside(self, source, names):
        assert referenced_variables(source) == names

    def test_the_first_line_of_each_name_is_known(self):
        assert variable_lines(compile_text("{{ a }}\n{% if b %}\n{{ a }}{{ c }}{% endif %}")) == {
            "a": 1,
            "b": 2,
            "c": 3,
        }

    def test_a_source_that_does_not_compile_has_no_answer(self):
        with pytest.raises(TemplateSyntaxProblem):
            referenced_variables("{% if %}")
