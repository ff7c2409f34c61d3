"""What comes from the server before Django sees it."""

import io

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory

from notifications_site.raw_requests import READ_AT_MOST, made_readable


class Drops(io.RawIOBase):
    """A body that comes in small pieces, as over a slow line."""

    def __init__(self, pieces):
        self.pieces = list(pieces)

    def read(self, size=-1):
        return self.pieces.pop(0) if self.pieces else b""


def seen_by_django(**environ):
    """The request as Django would have it."""
    seen = []

    def application(environ, start_response):
        seen.append(WSGIRequest(environ))
        return []

    full = RequestFactory()._base_environ(REQUEST_METHOD="POST", **environ)
    made_readable(application)({name: value for name, value in full.items() if value is not None}, lambda *_: None)
    return seen[0]


def chunked(pieces, **environ):
    return seen_by_django(
        **{"wsgi.input": Drops(pieces), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"} | environ
    )


def test_a_body_in_chunks_arrives_whole():
    request = chunked([b'{"a"', b": ", b"1}"])

    assert request.body == b'{"a": 1}'
    assert request.META["CONTENT_LENGTH"] == "8"


def test_a_body_without_end_is_cut_after_the_limit(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    endless = Drops([b"x" * 64 * 1024] * 100)

    request = chunked([], **{"wsgi.input": endless})

    assert int(request.META["CONTENT_LENGTH"]) >= READ_AT_MOST
    assert endless.pieces


def test_a_server_that_does_not_end_its_stream_is_not_read():
    drops = Drops([b"never asked for"])

    request = chunked([], **{"wsgi.input": drops, "wsgi.input_terminated": None})

    assert request.body == b""
    assert drops.pieces


def test_a_body_with_a_length_is_left_alone():
    stream = io.BytesIO(b"{} and more")

    request = seen_by_django(**{"wsgi.input": stream, "CONTENT_LENGTH": "2", "CONTENT_TYPE": "application/json"})

    assert (request.body, request.content_type) == (b"{}", "application/json")


@pytest.mark.parametrize("content_type", ["application/json; charset*=bogus''x", "text/plain; a*=nonsense''b"])
def test_a_type_on_which_django_would_fail_is_dropped(content_type):
    with pytest.raises(ValueError, match="Invalid encoding"):
        RequestFactory().generic("POST", "/", b"{}", content_type=content_type)

    assert seen_by_django(CONTENT_TYPE=content_type).content_type == ""


def headers_of_answer(read, *, length="2"):
    """What is sent with an answer of an application that does `read` with the body."""
    sent = []

    def application(environ, start_response):
        read(environ["wsgi.input"])
        start_response("200 OK", [("X-Own", "1")])
        return []

    environ = RequestFactory()._base_environ(REQUEST_METHOD="POST", CONTENT_LENGTH=length)
    environ["wsgi.input"] = io.BytesIO(b"{}")
    made_readable(application)(environ, lambda status, headers, *more: sent.extend(headers))
    return sent


def test_an_answer_before_the_body_was_read_ends_the_connection():
    """The server hangs up then; a client that is not told loses its next request."""
    assert headers_of_answer(lambda body: None) == [("X-Own", "1"), ("Connection", "close")]


@pytest.mark.parametrize("read", [lambda body: body.read(), lambda body: body.readline(10)])
def test_other_connections_are_kept(read):
    assert headers_of_answer(read) == [("X-Own", "1")]


@pytest.mark.parametrize("length", ["", "0"])
def test_so_are_those_without_a_body(length):
    assert headers_of_answer(lambda body: None, length=length) == [("X-Own", "1")]
