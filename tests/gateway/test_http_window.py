"""The connections to one service: what a request and an answer may be without harm."""

import pytest

from gateway.http_window import Call, HttpWindow, NoReply, Reply
from gateway.standin_server import Given, StandIn


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
