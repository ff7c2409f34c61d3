"""The connections to one service: what a request and an answer may be without harm."""

import select
import ssl

import pytest

from channels_email.standins.certificates import self_made_certificate
from gateway import http_window
from gateway.http_window import Call, HttpWindow, NoReply, Reply
from gateway.standin_server import Given, StandIn

#: Seconds; nothing waits so long unless something is wrong.
PATIENCE = 30


class Echo(StandIn):
    """Says what it was asked."""

    name = "echo"

    def answer(self, asked):
        return Given(200, {"path": asked.path})


@pytest.fixture
def window():
    with Echo() as server:
        window = HttpWindow(f"{server.url}/v1/")
        yield window
        window.close()


@pytest.fixture
def encrypted(tmp_path, monkeypatch):
    """A server with a certificate that we trust, and connections to it."""
    file = self_made_certificate(tmp_path)
    server = Echo()
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(file)
    monkeypatch.setattr(http_window, "_tls", lambda: ssl.create_default_context(cafile=file))
    with server:
        window = HttpWindow(server.url.replace("http:", "https:"))
        yield server, window
        window.close()


def bytes_have_come(window: HttpWindow) -> bool:
    """Waits for something to read on the connection that is used first."""
    return bool(select.select([window._links[0]._timed._link], [], [], PATIENCE)[0])


def test_what_tls_has_to_say_by_itself_does_not_end_a_connection(encrypted):
    server, window = encrypted
    window.open()
    assert bytes_have_come(window)  # tickets, by which a later session could be taken up again
    (reply,) = window.ask([Call("/mails", {})])
    assert reply.status == 200
    assert server.connection_count == 1


def test_a_connection_that_the_service_has_ended_is_opened_anew(encrypted):
    server, window = encrypted
    list(window.ask([Call("/mails", {})]))
    server.cut_connections()
    assert bytes_have_come(window)
    (reply,) = window.ask([Call("/mails", {})])
    assert reply.status == 200
    assert server.connection_count == 2


def test_the_path_of_the_address_begins_every_path(window):
    (reply,) = window.ask([Call("/mails", {})])
    assert reply.json_object() == {"path": "/v1/mails"}


@pytest.mark.parametrize(
    "call",
    [
        Call("/mails", {"Authorization": "Bearer key\u200b"}),
        Call("/mails", {"Authorization": "Bearer key\r\nX-Other: 1"}),
        Call("/mäils", {}),
        Call("/mails HTTP/1.1\r\nX-Other: 1", {}),
    ],
)
def test_a_request_that_cannot_be_written_is_not_handed_over_and_harms_no_later_one(window, call):
    (refused,) = window.ask([call])
    assert isinstance(refused, NoReply)
    assert not refused.is_handed_over
    (reply,) = window.ask([Call("/mails", {})])
    assert reply.status == 200


@pytest.mark.parametrize("body", [b"", b"no", b"[1]", b'"text"', b"\xff", b"[" * 60_000, b'{"a":' * 10_000])
def test_a_body_that_is_no_json_object_says_nothing(body):
    assert Reply(200, {}, body).json_object() == {}
