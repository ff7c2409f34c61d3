"""WSGI: requests that Django's request object cannot take as they are, or would misread, are made readable for it.

And where an answer is given before the body was read, the client is told that the connection ends with it.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from django.utils.http import parse_header_parameters

#: Bytes that are read at most of a body without a length; one more than any route takes, so that its length refuses it.
READ_AT_MOST = 2 * 1024 * 1024 + 1
CHUNK = 64 * 1024

Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def made_readable(application: Application) -> Application:
    """`application`, in front of which every request is given a length and a Content-Type that can be read."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        give_length(environ)
        drop_unreadable_type(environ)
        return application(environ, ending_unread_connections(environ, start_response))

    return serve


def give_length(environ: WSGIEnvironment) -> None:
    """A body sent in chunks has no Content-Length; Django would take it for empty and lose it."""
    is_chunked = environ.get("HTTP_TRANSFER_ENCODING") and not environ.get("CONTENT_LENGTH")
    # Only a server that ends its stream by itself may be read without a length; the others would block.
    if is_chunked and environ.get("wsgi.input_terminated"):
        body = read_up_to(environ["wsgi.input"], READ_AT_MOST)
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))


def drop_unreadable_type(environ: WSGIEnvironment) -> None:
    """Django fails on some before any handler of ours is there; without a type the body is refused in the usual way."""
    content_type = environ.get("CONTENT_TYPE", "")
    if "*" not in content_type:  # RFC 2231 values, `name*=…`, are the ones that fail; nearly nobody sends them
        return
    try:
        parse_header_parameters(content_type)
    except ValueError:
        environ["CONTENT_TYPE"] = ""


class NoticedBody:
    """The stream of a body, and whether anybody has read of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.is_read = False

    def read(self, size: int = -1) -> bytes:
        """As the stream does."""
        self.is_read = True
        return self._stream.read(size)  # type: ignore[no-any-return]  # a WSGI input stream gives bytes

    def readline(self, size: int = -1) -> bytes:
        """As the stream does."""
        self.is_read = True
        return self._stream.readline(size)  # type: ignore[no-any-return]


def ending_unread_connections(environ: WSGIEnvironment, start_response: StartResponse) -> StartResponse:
    """`start_response`, which says `Connection: close` where the body is refused unread.

    The server hangs up then, as the rest of the body stands between it and the next request; a client that is not told
    sends its next request into a connection that is going away.
    """
    if not int(environ.get("CONTENT_LENGTH") or 0):
        return start_response
    body = environ["wsgi.input"] = NoticedBody(environ["wsgi.input"])

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, headers if body.is_read else [*headers, ("Connection", "close")], *more)

    return start


def read_up_to(stream: Any, limit: int) -> bytes:
    """All bytes of a WSGI input stream, or the first `limit` of them; a single read may give fewer than there are."""
    pieces: list[bytes] = []
    while limit > 0 and (piece := stream.read(min(limit, CHUNK))):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)
