"""/health and /metrics of a consumer: a small HTTP server in a thread of its own."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from django.db import connections

from consumers import health_checks, metrics_page
from consumers.health_checks import Health
from consumers.ports import LOOPBACK
from gateway.correlation import kept
from gateway.database_patience import at_most
from gateway.problems import CONTENT_TYPE, body_of
from users.json_text import to_json
from users.problems import Problem

Answers = dict[str, Callable[[], Health]]

#: For all checks together, or the one who asks has given up: Kubernetes waits a second.
ANSWER_WITHIN = timedelta(milliseconds=800)
#: A client that says nothing for so long is hung up on.
PATIENCE = timedelta(seconds=5)
METRICS = "/metrics"


def answers_of(role: str, *, still_for: Callable[[], timedelta], is_draining: Callable[[], bool]) -> Answers:
    """What each path of a consumer answers."""

    def live() -> Health:
        return health_checks.live(still_for())

    def ready() -> Health:
        return health_checks.ready(is_draining=is_draining())

    return {
        "/health": lambda: health_checks.health(role),
        "/health/live": live,
        "/livez": live,
        "/health/ready": ready,
        "/readyz": ready,
    }


class ProbeServer:
    """Serves from its making until `close`. `port` is the one it really has: 0 asks for any free one."""

    def __init__(self, answers: Answers, *, port: int, host: str = LOOPBACK) -> None:
        handler = type("Handler", (_Handler,), {"answers": answers})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="probe", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    answers: ClassVar[Answers]
    timeout = PATIENCE.total_seconds()  # the name the base class reads; seconds
    server_version, sys_version = "notifications", ""

    def do_GET(self) -> None:
        """Any of our paths, with or without a slash at its end."""
        path = self.path.partition("?")[0]
        path = path.removesuffix("/") or "/"
        try:
            with at_most(ANSWER_WITHIN):
                self._answer_at(path)
        finally:
            # Each request has a thread of its own, and with it a connection of its own.
            connections.close_all()

    do_HEAD = do_GET  # noqa: N815  the base class looks for this name

    def _answer_at(self, path: str) -> None:
        if path == METRICS:
            self._metrics()
        elif answer := self.answers.get(path):
            found = answer()
            self._answer(found.status_code, found.body)
        else:
            paths = [*self.answers, METRICS]
            self._answer(404, {"status": 404, "title": "There is nothing here.", "paths": paths})

    def _metrics(self) -> None:
        asked_by = self.headers.get("Authorization", "")
        if code := metrics_page.refusal(asked_by, address=self.client_address[0]):
            problem = Problem(code)
            body = body_of(problem, instance=METRICS, request_id=None)
            self._answer(problem.kind.status, body, CONTENT_TYPE)
        else:
            self._send(200, metrics_page.page_of_consumer(), metrics_page.CONTENT_TYPE)

    def _answer(self, status: int, body: object, content_type: str = "application/json") -> None:
        self._send(status, to_json(body), content_type)

    def _send(self, status: int, content: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Request-ID", kept(self.headers.get("X-Request-ID")) or str(uuid.uuid4()))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Asked every few seconds by machines: not worth a line."""
