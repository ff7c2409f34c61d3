"""Where alerts arrive in tests: a real mail server and a real web server on loopback."""

import json
import socket
import threading
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller


class Mailbox:
    """Takes mails, or refuses them with `refusal`."""

    def __init__(self):
        self.mails = []
        self.refusal = ""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    @property
    def server(self):
        """As `env.mail_server` reads it."""
        named = {"host": "127.0.0.1", "port": self.port, "username": "", "password": ""}
        return named | {"use_tls": False, "use_ssl": False}

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's name
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def close(self):
        self._controller.stop()


class Hook:
    """Takes posts, or answers with `status`."""

    def __init__(self):
        self.posts = []
        self.paths = []
        self.status = 200
        self.headers = {}
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                hook.paths.append(self.path)
                hook.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(hook.status)
                for name, value in hook.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST  # noqa: N815  whoever followed a redirect would come here

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?key=s3cret"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def mailbox():
    opened = Mailbox()
    yield opened
    opened.close()


@pytest.fixture
def hook():
    opened = Hook()
    yield opened
    opened.close()
