"""`POST /api/v1/notifications/`: fields of the wrong shape, all of them named at once."""

import pytest

from tests.gateway.api_scene import findings, post, request_body

pytestmark = pytest.mark.django_db


# --- single fields ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_an_empty_body_lacks_what_is_required(shop, body):
    assert findings(post(shop, body)) == [
        ("/notification_type", "required"),
        ("/template_code", "required"),
        ("/user_id", "required"),
    ]


def test_every_faulty_field_is_named_at_once(shop):
    body = {
        "notification_type": "sms",
        "user_id": 123,
        "variables": [],
        "request_id": "two words",
        "priority": "urgent",
        "template_version": 0,
        "locale": "german!",
        "send_at": "tomorrow",
        "expires_at": "2026-11-22T10:15:00",
        "metadata": {"a": 1, "b/c~d": None, "e": "fine"},
        "channel": "email",
        "a/b": 1,
    }

    assert findings(post(shop, body)) == [
        ("/a~1b", "unknown_field"),
        ("/channel", "unknown_field"),
        ("/expires_at", "invalid"),
        ("/locale", "invalid"),
        ("/metadata/a", "invalid"),
        ("/metadata/b~1c~0d", "invalid"),
        ("/notification_type", "invalid_choice"),
        ("/priority", "invalid"),
        ("/request_id", "invalid"),
        ("/send_at", "invalid"),
        ("/template_code", "required"),
        ("/template_version", "invalid"),
        ("/user_id", "invalid"),
        ("/variables", "invalid"),
    ]


@pytest.mark.parametrize("name", ["extra", "", "non_field_errors", "Priority", "priority ", "__proto__", "ключ"])
def test_an_unknown_field_is_named_whatever_its_name(shop, name):
    assert findings(post(shop, request_body(**{name: 1}))) == [(f"/{name}", "unknown_field")]


@pytest.mark.parametrize("field", ["notification_type", "user_id", "template_code"])
def test_a_required_field_cannot_be_null(shop, field):
    assert findings(post(shop, request_body(**{field: None}))) == [(f"/{field}", "null")]


@pytest.mark.parametrize("field", ["user_id", "template_code"])
@pytest.mark.parametrize(
    ("value", "code"),
    [("", "blank"), (5, "invalid"), (True, "invalid"), ([], "invalid"), ({}, "invalid"), ("x" * 129, "too_long")],
)
def test_names_are_text(shop, field, value, code):
    assert findings(post(shop, request_body(**{field: value}))) == [(f"/{field}", code)]


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\x07", "\x1b", "\x7f", "\x85", "\x9f"])
@pytest.mark.parametrize("field", ["user_id", "template_code", "request_id", "locale"])
def test_control_characters_are_refused(shop, field, character):
    assert findings(post(shop, request_body(**{field: f"a{character}b"}))) == [(f"/{field}", "invalid")]


@pytest.mark.parametrize("value", ["E-mail", "EMAIL", "sms", "", 1, True, ["email"], {}])
def test_there_are_two_channels(shop, value):
    assert findings(post(shop, request_body(notification_type=value))) == [("/notification_type", "invalid_choice")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "invalid"),
        ("a b", "invalid"),
        ("ä", "invalid"),
        (5, "invalid"),
        (["a"], "invalid"),
        ("x" * 256, "too_long"),
    ],
)
def test_a_request_id_is_printable_ascii_without_spaces(shop, value, code):
    assert findings(post(shop, request_body(request_id=value))) == [("/request_id", code)]


# --- variables and metadata: their limits -----------------------------------------------------------------------------


def nested(depth):
    """Objects inside each other, `variables` itself counted."""
    value = "x"
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ("text", [("/variables", "invalid")]),
        ([], [("/variables", "invalid")]),
        (nested(6), [("/variables/a/a/a/a/a", "too_deep")]),
        ({"a": [[[[["x"]]]]]}, [("/variables/a/0/0/0/0", "too_deep")]),
        ({f"v{number}": 1 for number in range(101)}, [("/variables", "too_many")]),
        ({"a": list(range(201))}, [("/variables/a", "too_many")]),
        ({"a": "x" * 10_001}, [("/variables/a", "too_long")]),
        ({"a": "ä" * 5_001}, [("/variables/a", "too_long")]),  # bytes count
        ({"a": ["fine", "x" * 10_001]}, [("/variables/a/1", "too_long")]),
        ({"a/b": {"~": "bell \x07"}}, [("/variables/a~1b/~0", "invalid")]),
        ({"k" * 101: 1}, [("/variables", "too_long")]),
        ({"bell\x07": 1}, [("/variables", "invalid")]),
    ],
)
def test_variables_have_limits(shop, variables, expected):
    assert findings(post(shop, request_body(variables=variables))) == expected


def test_everything_wrong_with_variables_is_named(shop):
    variables = {
        "bell\x07": 1,
        "outer": {"bell\x07": 1, "inner": "x" * 10_001, "list": [1, "bell\x07"]},
        "non_field_errors": "bell\x07",
        "long": "x" * 10_001 + "\x07",
    }

    assert findings(post(shop, request_body(variables=variables))) == [
        ("/variables", "invalid"),
        ("/variables/long", "invalid"),
        ("/variables/long", "too_long"),
        ("/variables/non_field_errors", "invalid"),
        ("/variables/outer", "invalid"),
        ("/variables/outer/inner", "too_long"),
        ("/variables/outer/list/1", "invalid"),
    ]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("text", [("/metadata", "invalid")]),
        ([], [("/metadata", "invalid")]),
        ({f"m{number}": "x" for number in range(21)}, [("/metadata", "too_many")]),
        ({"k" * 41: "x"}, [(f"/metadata/{'k' * 41}", "too_long")]),
        ({"a": "x" * 501}, [("/metadata/a", "too_long")]),
        ({"a": 1, "b": None, "c": {}, "d": "fine"}, [(f"/metadata/{name}", "invalid") for name in "abc"]),
        ({"a": "bell \x07", "b": "line\nbreak"}, [("/metadata/a", "invalid"), ("/metadata/b", "invalid")]),
        ({"bell\x07": "x"}, [("/metadata/bell\x07", "invalid")]),
        ({"non_field_errors": 1}, [("/metadata/non_field_errors", "invalid")]),
    ],
)
def test_metadata_has_limits(shop, metadata, expected):
    assert findings(post(shop, request_body(metadata=metadata))) == expected
