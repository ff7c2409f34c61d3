"""JSON of the API: what is refused on the way in, and what is produced."""

import io

import pytest
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import NotAcceptable, ParseError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from users.json_format import (
    DEEPEST,
    JSONNegotiation,
    JSONRenderer,
    StrictJSONParser,
    accepts_json,
    media_type_of,
    parse_object,
)


def nested(depth):
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_an_object_is_read():
    assert parse_object('{"name": "Jörg 😀", "n": [1, 2.5, null, true]}'.encode()) == {
        "name": "Jörg 😀",
        "n": [1, 2.5, None, True],
    }


def test_no_bytes_are_an_empty_object():
    assert parse_object(b"") == {}


def test_escapes_that_only_look_dangerous_are_read():
    assert parse_object(rb'{"a": "\ud83d\ude00", "b": "\\u0000"}') == {"a": "😀", "b": r"\u0000"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b" ", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 1} {}', "not JSON"),
        (b'{"a": "\n"}', "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a": "\xe9"}', "not UTF-8: byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": 1, "b": 2, "a": 3}', '"a" stands twice'),
        (b'{"deep": [{"x": 1, "x": 1}]}', '"x" stands twice'),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": -1' + b"0" * 400 + b"}", "too large"),
        (b'{"a": ' + b"1" * 200_000 + b"}", "too large"),
        (rb'{"a": "x\u0000y"}', "NUL"),
        (rb'{"a": [{"b": "\ud800"}]}', "surrogate"),
        (rb'{"\udc00": 1}', "surrogate"),
        (nested(DEEPEST + 1), "deep"),
        (nested(100_000), "deep"),
    ],
)
def test_anything_else_is_malformed_and_says_why(body, said):
    with pytest.raises(ParseError) as caught:
        parse_object(body)

    assert caught.value.get_codes() == "malformed_json"
    assert said in str(caught.value.detail)


def test_objects_may_stand_inside_each_other_up_to_the_limit():
    assert parse_object(nested(DEEPEST))


def test_a_body_with_many_names_one_of_them_twice_is_refused_without_delay():
    # Comparing every name with every other would take minutes.
    names = ",".join(f'"{number}":1' for number in range(30_000))

    with pytest.raises(ParseError, match="stands twice"):
        parse_object(f'{{{names},"29999":1}}'.encode())


class Small:
    max_body = 10


def test_the_parser_reads_no_more_than_the_view_takes():
    stream = io.BytesIO(b'{"a": "' + b"x" * 1000 + b'"}')

    with pytest.raises(RequestDataTooBig):
        StrictJSONParser().parse(stream, parser_context={"view": Small()})
    assert stream.tell() == Small.max_body + 1


def test_the_parser_takes_a_body_of_exactly_the_limit():
    assert StrictJSONParser().parse(io.BytesIO(b'{"a": 123}'), parser_context={"view": Small()}) == {"a": 123}


def test_no_data_has_no_body():
    assert JSONRenderer().render(None) == b""
    assert JSONRenderer().render({}) == b"{}"


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json",
        "application/problem+json",
        "Application/JSON; charset=utf-8",
        "text/html, */*;q=0.1",
        "application/json;q=0, application/problem+json",
    ],
)
def test_these_accept_headers_are_served(accept):
    assert accepts_json(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/xml, text/*",
        "application/json;q=0",
        "application/*;q=0, */*",
        "*/*;q=0",
        "application/json;q=often",
        "json",
    ],
)
def test_these_are_not(accept):
    assert not accepts_json(accept)


def drf_request(path="/", **extra):
    return Request(APIRequestFactory().get(path, **extra))


def test_there_is_one_renderer_and_no_format_parameter():
    renderer = JSONRenderer()

    chosen = JSONNegotiation().select_renderer(drf_request("/?format=xml"), [renderer], "api")

    assert chosen == (renderer, "application/json")


def test_an_accept_header_can_only_refuse():
    with pytest.raises(NotAcceptable):
        JSONNegotiation().select_renderer(drf_request(HTTP_ACCEPT="text/html"), [JSONRenderer()])


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("*/*", "*/*"),
        ("", ""),
        (None, ""),
        ("application/json; charset*=bogus''x", "application/json"),
    ],
)
def test_a_media_type_is_told_from_its_parameters(content_type, name):
    assert media_type_of(content_type) == name


@pytest.mark.parametrize(
    ("content_type", "fits"), [("application/json; a=b", True), ("*/*", False), ("text/json", False)]
)
def test_only_json_is_parsed(content_type, fits):
    request = Request(APIRequestFactory().generic("POST", "/", b"{}", content_type=content_type))

    assert bool(JSONNegotiation().select_parser(request, [StrictJSONParser()])) is fits
