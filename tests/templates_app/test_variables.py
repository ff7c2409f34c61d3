"""Declared variables: their JSON, whether values fit them, and the limits of any `variables` object."""

from datetime import datetime, timedelta, timezone

import pytest

from templates_app.variables import (
    MAX_DEPTH,
    DeclarationInvalid,
    DeclaredVariable,
    VariableFinding,
    VariableType,
    check_shape,
    check_values,
    parse_variables,
    pointer,
    typed_values,
    variables_to_json,
)

NAME = DeclaredVariable("name", VariableType.STRING, required=True)
LINK = DeclaredVariable("verification_link", VariableType.URL, required=True, sensitive=True)


def codes(findings):
    return {(each.pointer, each.code) for each in findings}


def fits(kind, value, **more):
    variable = DeclaredVariable("x", VariableType(kind), required=True, **more)
    return not check_values([variable], {"x": value}).findings


class TestCheckValues:
    def test_values_that_fit_come_back_and_unknown_names_are_named(self):
        checked = check_values([NAME, LINK], {"name": "Ann", "verification_link": "https://a.example/", "z": 1, "b": 2})
        assert checked.values == {"name": "Ann", "verification_link": "https://a.example/"}
        assert checked.findings == []
        assert checked.unknown == ["b", "z"]

    def test_every_finding_is_reported_at_once(self):
        age = DeclaredVariable("age", VariableType.INTEGER)
        _, findings, _ = check_values([NAME, LINK, age], {"verification_link": "ftp://x", "age": "5"})
        assert codes(findings) == {
            ("/variables/name", "variable_missing"),
            ("/variables/verification_link", "variable_type"),
            ("/variables/age", "variable_type"),
        }
        assert findings[0] == VariableFinding("/variables/name", "variable_missing", "This variable is required.")

    def test_a_finding_does_not_repeat_the_value(self):
        (finding,) = check_values([LINK], {"verification_link": "tell-nobody"}).findings
        assert "tell-nobody" not in finding.detail

    def test_defaults_are_filled_in_for_what_is_not_given_or_null(self):
        greeting = DeclaredVariable("greeting", default="Hello")
        note = DeclaredVariable("note")
        assert check_values([greeting, note], {"note": None}).values == {"greeting": "Hello", "note": None}
        assert check_values([greeting], {"greeting": ""}).values == {"greeting": ""}

    def test_null_does_not_satisfy_a_required_variable(self):
        assert codes(check_values([NAME], {"name": None}).findings) == {("/variables/name", "variable_missing")}

    def test_the_given_values_are_not_changed(self):
        values = {"flag": 1}
        check_values([DeclaredVariable("flag", VariableType.BOOLEAN)], values)
        assert values == {"flag": 1}

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("string", ""),
            ("string", "Zoë"),
            ("integer", 0),
            ("integer", -(2**63)),
            ("number", 1),
            ("number", 1.5),
            ("boolean", True),
            ("boolean", 0),
            ("boolean", 1),
            ("datetime", "2026-11-22T10:15:00Z"),
            ("datetime", "2026-11-22t10:15:00.123456789z"),
            ("datetime", "2026-11-22T10:15:00+05:30"),
            ("list", []),
            ("list", [{"a": 1, "b": None, "c": True}]),
            ("list", ["plain", 1, None]),
            ("url", "https://example.com/v/abc?x=1&y=ü#z"),
            ("url", "HTTP://EXAMPLE.COM"),
            ("url", "http://[::1]:8000/"),
            ("url", "mailto:ann@example.com?subject=Hi"),
        ],
    )
    def test_values_that_fit(self, kind, value):
        assert fits(kind, value)

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("string", 5),
            ("string", True),
            ("string", ["a"]),
            ("string", {"a": 1}),
            ("integer", True),
            ("integer", 5.0),
            ("integer", "5"),
            ("integer", 2**63),
            ("number", True),
            ("number", "1.5"),
            ("number", float("nan")),
            ("number", float("inf")),
            ("number", 10**400),
            ("boolean", 2),
            ("boolean", 1.0),
            ("boolean", "true"),
            ("boolean", "yes"),
            ("datetime", "2026-11-22"),
            ("datetime", "2026-11-22T10:15:00"),
            ("datetime", "2026-11-22 10:15:00Z"),
            ("datetime", "2026-11-22T10:15Z"),
            ("datetime", "2026-02-30T10:15:00Z"),
            ("datetime", "2026-11-22T25:15:00Z"),
            ("datetime", "２026-11-22T10:15:00Z"),
            ("datetime", 1763806500),
            ("list", {"a": 1}),
            ("list", "abc"),
            ("list", [["a"]]),
            ("list", [{"a": {}}]),
            ("list", [{"a": []}]),
            ("url", ""),
            ("url", 5),
            ("url", "example.com"),
            ("url", "/path"),
            ("url", "//example.com"),
            ("url", "https:"),
            ("url", "https://"),
            ("url", "https:///path"),
            ("url", "https:example.com"),
            ("url", "javascript:alert(1)"),
            ("url", "JavaScript:alert(1)"),
            ("url", "java\tscript:alert(1)"),
            ("url", " javascript:alert(1)"),
            ("url", "data:text/html,x"),
            ("url", "ftp://example.com/"),
            ("url", "https://a b.example/"),
            ("url", "https://example.com/\nBcc: x"),
            ("url", "https://example.com/\x00"),
            ("url", "https://good.example\\@bad.example/"),
            ("url", 'https://example.com/"onclick="x'),
            ("url", "https://[::1/"),
            ("url", "https://example.com:99999/"),
            ("url", "https://example.com/\ud800"),
            ("url", "mailto:"),
            ("url", "mailto://example.com"),
        ],
    )
    def test_values_that_do_not_fit(self, kind, value):
        assert not fits(kind, value)

    def test_booleans_are_made_true_or_false(self):
        flag = DeclaredVariable("flag", VariableType.BOOLEAN, default=1)
        assert check_values([flag], {"flag": 0}).values["flag"] is False
        assert check_values([flag], {}).values["flag"] is True

    def test_each_entry_of_a_list_is_checked_and_named(self):
        items = DeclaredVariable("items", VariableType.LIST, fields=("title", "price"))
        rows = [{"title": "A", "price": 1, "more": 2}, {"title": "B"}, "C", {"title": [], "price": 1}]
        assert codes(check_values([items], {"items": rows}).findings) == {
            ("/variables/items/1/price", "variable_missing"),
            ("/variables/items/2", "variable_type"),
            ("/variables/items/3/title", "variable_type"),
        }

    def test_pointers_are_escaped(self):
        assert pointer("variables", "a/b~c", 0) == "/variables/a~1b~0c/0"
        items = DeclaredVariable("items", VariableType.LIST)
        assert codes(check_values([items], {"items": [{"a/b": []}]}).findings) == {
            ("/variables/items/0/a~1b", "variable_type")
        }


class TestTypedValues:
    def test_moments_become_datetimes_in_their_own_offset(self):
        when = DeclaredVariable("when", VariableType.DATETIME)
        typed = typed_values([when, NAME], {"when": "2026-11-22T10:15:00+02:00", "name": "2026-11-22T10:15:00Z"})
        moment = datetime(2026, 11, 22, 10, 15, tzinfo=timezone(timedelta(hours=2)))
        assert typed == {"when": moment, "name": "2026-11-22T10:15:00Z"}
        assert typed["when"].utcoffset() == timedelta(hours=2)

    def test_what_is_not_there_stays_away(self):
        when = DeclaredVariable("when", VariableType.DATETIME)
        assert typed_values([when], {}) == {}
        assert typed_values([when], {"when": None}) == {"when": None}


class TestDeclarations:
    def test_the_json_of_the_api_is_read_and_written_back(self):
        shape = [
            {"name": "name", "type": "string", "required": True, "example": "Ann"},
            {"name": "link", "type": "url", "required": True, "example": "https://a.example/v", "sensitive": True},
            {"name": "items", "type": "list", "fields": ["title"], "default": [{"title": "x"}]},
            {"name": "note", "default": None, "description": None},
        ]
        name, link, items, note = parse_variables(shape)
        assert name == DeclaredVariable("name", VariableType.STRING, required=True, example="Ann")
        assert link.sensitive
        assert items.fields == ("title",)
        assert note == DeclaredVariable("note")
        written = variables_to_json(shape)
        assert written[0] == {
            "name": "name",
            "type": "string",
            "required": True,
            "default": None,
            "example": "Ann",
            "description": "",
            "sensitive": False,
        }
        assert written[2]["fields"] == ["title"]
        assert variables_to_json(parse_variables(written)) == written

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ("text", ("/variables", "invalid")),
            (None, ("/variables", "invalid")),
            ({}, ("/variables", "invalid")),
            (["x"], ("/variables/0", "invalid")),
            ([{}], ("/variables/0/name", "required")),
            ([{"name": None}], ("/variables/0/name", "invalid")),
            ([{"name": "Name"}], ("/variables/0/name", "invalid")),
            ([{"name": "_a"}], ("/variables/0/name", "invalid")),
            ([{"name": "a" * 51}], ("/variables/0/name", "invalid")),
            ([{"name": "a\n"}], ("/variables/0/name", "invalid")),
            ([{"name": "a", "type": "text"}], ("/variables/0/type", "invalid_choice")),
            ([{"name": "a", "type": []}], ("/variables/0/type", "invalid_choice")),
            ([{"name": "a", "required": "yes"}], ("/variables/0/required", "invalid")),
            ([{"name": "a", "sensitive": 1}], ("/variables/0/sensitive", "invalid")),
            ([{"name": "a", "description": "x" * 1001}], ("/variables/0/description", "too_long")),
            ([{"name": "a", "size": 1}], ("/variables/0/size", "unknown_field")),
            ([{"name": "a"}, {"name": "a"}], ("/variables/1/name", "not_unique")),
            ([{"name": "a", "type": "integer", "default": "x"}], ("/variables/0/default", "variable_type")),
            ([{"name": "a", "type": "url", "example": "x"}], ("/variables/0/example", "variable_type")),
            ([{"name": "a", "fields": ["b"]}], ("/variables/0/fields", "invalid")),
            ([{"name": "a", "type": "list", "fields": "b"}], ("/variables/0/fields", "invalid")),
            ([{"name": "a", "type": "list", "fields": ["B"]}], ("/variables/0/fields", "invalid")),
            ([{"name": f"a{index}"} for index in range(101)], ("/variables", "too_many")),
        ],
    )
    def test_a_wrong_declaration_is_refused_where_it_is_wrong(self, shape, expected):
        with pytest.raises(DeclarationInvalid) as refused:
            parse_variables(shape)
        assert codes(refused.value.findings) == {expected}
        assert isinstance(refused.value, ValueError)

    def test_all_that_is_wrong_is_reported_at_once(self):
        with pytest.raises(DeclarationInvalid) as refused:
            variables_to_json([{"name": "A", "type": "x"}, {"required": 5}])
        assert codes(refused.value.findings) == {
            ("/variables/0/name", "invalid"),
            ("/variables/0/type", "invalid_choice"),
            ("/variables/1/name", "required"),
            ("/variables/1/required", "invalid"),
        }


class TestShape:
    def test_what_keeps_to_the_limits_has_no_findings(self):
        deepest = {"a": [{"b": [{"c": 1}]}]}
        text = "line\n\tindented\r\n" + "€" * 3_000
        assert check_shape({"x": deepest["a"][0], "text": text, "many": [0] * 200, "none": None}) == []

    @pytest.mark.parametrize(
        ("variables", "expected"),
        [
            ([], ("/variables", "invalid")),
            ("x", ("/variables", "invalid")),
            (None, ("/variables", "invalid")),
            ({"a": "x" * 10_001}, ("/variables/a", "too_long")),
            ({"a": "€" * 3_334}, ("/variables/a", "too_long")),
            ({"a": ["ok", "x" * 10_001]}, ("/variables/a/1", "too_long")),
            ({"a": [0] * 201}, ("/variables/a", "too_many")),
            ({str(index): 0 for index in range(101)}, ("/variables", "too_many")),
            ({"a": {str(index): 0 for index in range(101)}}, ("/variables/a", "too_many")),
            ({"a": "bell\x07"}, ("/variables/a", "invalid")),
            ({"a": "nul\x00"}, ("/variables/a", "invalid")),
            ({"a": "next line\x85"}, ("/variables/a", "invalid")),
            ({"a": "half\ud800"}, ("/variables/a", "invalid")),
            ({"a": {"bell\x07": 1}}, ("/variables/a", "invalid")),
            ({"k" * 101: 1}, ("/variables", "too_long")),
            ({"a/b": "\x00"}, ("/variables/a~1b", "invalid")),
        ],
    )
    def test_a_broken_limit_is_reported_where_it_is_broken(self, variables, expected):
        assert codes(check_shape(variables)) == {expected}

    def test_depth_counts_lists_objects_and_the_variables_themselves(self):
        def nested(levels):
            value = 1
            for _ in range(levels):
                value = {"a": value}
            return value

        assert check_shape(nested(MAX_DEPTH)) == []
        assert codes(check_shape(nested(MAX_DEPTH + 1))) == {("/variables/a/a/a/a/a", "too_deep")}
        assert codes(check_shape({"x": [[[[[]]]]]})) == {("/variables/x/0/0/0/0", "too_deep")}

    def test_nesting_without_end_is_looked_at_no_deeper_than_the_limit(self):
        endless = {}
        endless["a"] = endless
        assert [each.code for each in check_shape(endless)] == ["too_deep"]

    def test_all_broken_limits_are_reported(self):
        found = check_shape({"a": "\x00", "b": "x" * 10_001, "c": [0] * 201})
        assert [each.code for each in found] == ["invalid", "too_long", "too_many"]
