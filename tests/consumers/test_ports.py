import http.server
import socket
import threading

import pytest

from consumers import ports


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(server):
    return server.getsockname()[1]


def test_a_port_somebody_listens_on_is_taken(listener):
    with pytest.raises(ports.PortTaken, match=f"Port {port_of(listener)} is in use"):
        ports.require_free(port_of(listener))


def test_a_port_is_taken_even_by_a_listener_that_would_share_it():
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()

        assert not ports.is_free(port_of(server))


def test_a_port_is_taken_by_a_listener_on_all_addresses():
    with socket.create_server(("", 0)) as server:
        assert not ports.is_free(port_of(server))


def test_a_port_is_free_right_after_its_server_has_gone(listener):
    with socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        accepted.close()
    port = port_of(listener)
    listener.close()

    ports.require_free(port)


def test_the_remedy_offers_ports_that_are_all_free(monkeypatch):
    taken = {4002, 5000, 6003}
    monkeypatch.setattr(ports, "is_free", lambda port: port not in taken)

    assert ports.free_base(3000, [0, 2, 3]) == 7000


def test_near_the_last_port_the_remedy_turns_back(monkeypatch):
    monkeypatch.setattr(ports, "is_free", lambda port: port not in {3000})

    assert ports.free_base(65000, [0, 2, 3]) == 4000


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False), (404, False)])
def test_only_a_200_is_a_yes(status, expected):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()

    assert ports.says_yes("/health", port=server.server_port) == expected
    thread.join()
    server.server_close()


def test_nobody_there_is_no_yes(listener):
    port = port_of(listener)
    listener.close()

    assert not ports.says_yes("/health", port=port)
