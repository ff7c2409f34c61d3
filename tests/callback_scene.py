"""A receiver of callbacks on loopback, and clients that want to be told."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.db.models.functions import Now
from standardwebhooks import Webhook

from gateway import callback_endpoints
from gateway.models import StatusCallback


class Receiver:
    """Keeps what is posted to it; `answer` says what it says: a status, or a function of (handler, number)."""

    def __init__(self, encryption=None):
        self.posts = []
        self.answer = 200
        self.headers = {}
        #: Clear it, and no post is answered until it is set again.
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.arrived = threading.Semaphore(0)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                receiver.arrived.release()
                receiver.may_answer.wait(20)
                if callable(receiver.answer):
                    receiver.answer(self, len(receiver.posts))
                    return
                self.send_response(receiver.answer)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self):  # whoever followed a redirect would come here
                receiver.posts.append(("GET", {}, b""))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request, client_address):
                """A sender that has hung up is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if encryption:
            self._server.socket = encryption.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hooks?from=us"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def bodies(self):
        return [json.loads(body) for _, _, body in self.posts]

    @property
    def webhook_ids(self):
        return [headers["webhook-id"] for _, headers, _ in self.posts]

    def close(self):
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiver(encryption=None):
    opened = Receiver(encryption)
    try:
        yield opened
    finally:
        opened.close()


def endpoint(url, *, client="shop", mode="live", events=("*",), **columns):
    """An endpoint and its secret."""
    made, secret = callback_endpoints.create_endpoint(client=client, mode=mode, url=url, events=list(events))
    if columns:
        type(made).objects.filter(pk=made.pk).update(**columns)
        made.refresh_from_db()
    return made, secret


def verified(secret, post):
    """The body of a post whose signature a library finds good."""
    _, headers, body = post
    return Webhook(secret).verify(body, headers)


def owed(row):
    """(event type, sequence) of what is owed about a notification."""
    return list(
        StatusCallback.objects.filter(notification_id=getattr(row, "pk", row))
        .order_by("sequence")
        .values_list("event_type", "sequence")
    )


def make_due():
    """Every waiting callback's moment has come."""
    StatusCallback.objects.filter(state="pending").update(next_attempt_at=Now())
