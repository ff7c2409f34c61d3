"""A web process whose PostgreSQL goes away in every way we know: 503 at once, and all is well when it is back."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import uuid
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings
from django.urls import resolve

from gateway.demo_samples import FIRST
from tests.house.test_routes import example, routes
from tests.ports import own_port
from tests.rabbitmq_server import Wire, until

pytestmark = pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="it has a server of its own; the SQLite half of the tests runs it"
)
#: A request that waits for libpq's or the system's own time-outs takes longer than this; ours are far shorter. Seconds.
CLIENT_GIVES_UP = 25
NAME = "away"


class Site:
    """`run_web` on a database of its own, reached over a wire that can be cut."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        server.execute("CREATE ROLE app LOGIN")
        server.execute(f"CREATE DATABASE {NAME} OWNER app")
        self.wire = Wire(f"postgres://app:any@127.0.0.1:{server.port}/{NAME}")
        self.port = own_port()
        self._environment = os.environ | {
            "DATABASE_URL": self.wire.url,
            "VAR_DIR": str(folder),
            "PORT": str(self.port),
            "DATABASE_PATIENCE_MS": "3000",  # a busy machine is slow even when nothing is away
        }
        self.manage("migrate", "-v0")
        self.manage("seed_demo")
        self.key = json.loads((folder / "demo.json").read_text())["api_key"]
        with (folder / "web.log").open("w") as log:
            self.process = subprocess.Popen(self._line("run_web"), env=self._environment, stdout=log, stderr=log)
        until(self.serves, "the start")

    def _line(self, *arguments):
        return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]

    def manage(self, *arguments):
        subprocess.run(self._line(*arguments), env=self._environment, check=True, capture_output=True)

    def serves(self):
        assert self.process.poll() is None, (self.folder / "web.log").read_text()
        try:
            return self.ask("GET", "/health/ready")[0] == 200
        except OSError:
            return False

    def ask(self, method, path, body=None, **headers):
        """Status, headers and body; TimeoutError for one that hangs."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CLIENT_GIVES_UP)
        shown = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | headers
        try:
            connection.request(method, path, None if body is None else json.dumps(body), shown)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def submit(self, request_id=None):
        body = FIRST.body | {"request_id": request_id or str(uuid.uuid4())}
        status, _, answer = self.ask("POST", "/api/v1/notifications/", body)
        return status, json.loads(answer)

    def count(self, request_id):
        statement = "SELECT count(*) FROM gateway_notification WHERE request_id = %s"
        return self.server.execute(statement, request_id, name=NAME)[0][0]

    def close(self):
        self.process.terminate()
        self.process.wait(CLIENT_GIVES_UP * 4)
        self.wire.cut()


@pytest.fixture(scope="module")
def site(_own_postgresql_cluster, tmp_path_factory):
    server = _own_postgresql_cluster
    if not server.is_running:
        server.start()
    opened = Site(server, tmp_path_factory.mktemp("site"))
    yield opened
    opened.close()


@contextmanager
def stopped(site):
    """Connection refused; the sessions were cut as by a crash."""
    site.server.stop("immediate")
    try:
        yield
    finally:
        site.server.start()


@contextmanager
def gone(site):
    """The host is there, but the way to it is cut."""
    site.wire.cut()
    try:
        yield
    finally:
        site.wire.mend()


@contextmanager
def frozen(site):
    """It takes connections and bytes, and never answers."""
    site.server.freeze()
    try:
        yield
    finally:
        site.server.thaw()
        site.server.execute("SELECT 1")  # on a busy machine it takes a while to be itself again


@contextmanager
def swallowing(site):
    """Something between us and the server swallows every byte, and both sides believe that all is well."""
    site.wire.deafen()
    try:
        yield
    finally:
        site.wire.hear_again()


@contextmanager
def unreachable(site):
    """Nobody answers the first packet of a connection: a full backlog drops it, as a firewall does."""
    site.wire.cut()
    with ExitStack() as stack:
        stack.callback(site.wire.mend)
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", site.wire.port))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", site.wire.port))
        yield


@contextmanager
def full(site):
    """It has no connection to spare."""
    site.server.execute("ALTER ROLE app CONNECTION LIMIT 0")
    site.wire.interrupt()
    try:
        yield
    finally:
        site.server.execute("ALTER ROLE app CONNECTION LIMIT -1")


#: They answer, or refuse an empty request of a key, from what the process knows; if it knows the key.
WITHOUT_DATABASE = (
    "api/v1/reasons/",
    "api/v1/webpush/key/",
    "api/v1/receipts/",
    "api/v1/auth/",
    "api/v1/templates/preview/",
)
#: A file without a name is refused before anybody looks where to keep it.
UPLOAD = "api/v1/attachments/"
WAYS = [stopped, gone, frozen, swallowing, unreachable, full]


def answers_503(site, method, path, body=None):
    status, headers, answer = site.ask(method, path, body)
    problem = json.loads(answer)
    assert (status, problem.get("code")) == (503, "unavailable"), (path, answer)
    assert headers["Content-Type"] == "application/problem+json"
    assert int(headers["Retry-After"]) > 0


def method_of(route):
    """One that the route knows: another is refused before anybody asks the database."""
    view = resolve(example(route)).func.view_class
    return "GET" if hasattr(view, "get") else "POST"


@pytest.mark.parametrize("way", WAYS)
def test_every_route_says_503_and_serves_again_as_soon_as_it_can(site, way):
    assert site.submit()[0] == 202
    with way(site):
        answers_503(site, "POST", "/api/v1/notifications/", FIRST.body | {"request_id": "away"})
        for route in routes():
            if route == UPLOAD or route.startswith(WITHOUT_DATABASE):
                assert site.ask(method_of(route), example(route))[0] in (200, 400, 403, 404, 503), route
            elif route.startswith("api/v1/") and route != "api/v1/notifications/":
                answers_503(site, method_of(route), example(route))
        assert site.ask("GET", "/health")[0] == 503
        status, _, answer = site.ask("GET", "/health/ready")
        assert (status, json.loads(answer)["detail"]) == (503, "The database does not answer.")
        assert site.ask("GET", "/health/live")[0] == 200
        status, headers, page = site.ask("GET", "/admin/", Accept="text/html", Cookie="sessionid=anything")
        assert (status, headers["Content-Type"]) == (503, "text/html; charset=utf-8")
        assert "The database does not answer at the moment" in page
        assert headers["Retry-After"]

    # Also the first one on each of the kept connections that broke.
    assert [site.submit()[0] for _ in range(8)] == [202] * 8
    assert site.ask("GET", "/health/ready")[0] == 200


@pytest.mark.parametrize("way", [stopped, frozen])
def test_a_crowd_is_told_at_once_and_does_not_queue_up(site, way):
    with way(site):
        answers = []
        crowd = [threading.Thread(target=lambda: answers.append(site.submit()[0])) for _ in range(40)]
        for each in crowd:
            each.start()
        for each in crowd:
            each.join()
    # One after another, forty would have waited longer than the client does.
    assert answers == [503] * 40
    assert site.submit()[0] == 202


def test_a_restart_between_two_requests_is_not_noticed(site):
    for _ in range(8):
        site.submit()
    site.server.restart("fast")

    assert [site.submit()[0] for _ in range(8)] == [202] * 8


def test_a_disk_that_is_full_is_503_until_there_is_room(site):
    site.server.execute(
        """
        CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT ON gateway_notification EXECUTE FUNCTION no_room();
        """,
        name=NAME,
    )
    answers_503(site, "POST", "/api/v1/notifications/", FIRST.body | {"request_id": "no-room"})
    site.server.execute("DROP FUNCTION no_room CASCADE", name=NAME)

    assert site.submit("no-room")[0] == 202


def test_a_database_that_may_only_be_read_is_503_for_what_writes(site):
    _, accepted = site.submit()
    site.server.execute(f"ALTER DATABASE {NAME} SET default_transaction_read_only = on")
    site.wire.interrupt()

    answers_503(site, "POST", "/api/v1/notifications/", FIRST.body | {"request_id": "standby"})
    assert site.ask("GET", accepted["links"]["self"])[0] == 200

    site.server.execute(f"ALTER DATABASE {NAME} RESET default_transaction_read_only")
    site.wire.interrupt()
    assert site.submit("standby")[0] == 202


@pytest.mark.parametrize("was_stored", [True, False])
def test_whoever_lost_the_connection_at_the_commit_repeats_and_learns_the_truth(site, was_stored):
    """A deferred trigger runs within COMMIT and holds it up there, past the patience of the request."""
    request_id = f"commit-{was_stored}"
    site.server.execute(
        """
        CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER hold_up AFTER INSERT ON gateway_notification DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION hold_up();
        """,
        name=NAME,
    )
    with hold(site.server):
        status, answer = site.submit(request_id)
        assert (status, answer["code"]) == (503, "unavailable")
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND usename = 'app'"
        [(backend,)] = until(lambda: site.server.execute(waiting), "the COMMIT that waits")
        if not was_stored:
            site.server.execute("SELECT pg_terminate_backend(%s)", backend)
    alive = "SELECT pid FROM pg_stat_activity WHERE pid = %s"
    until(lambda: not site.server.execute(alive, backend), "the end of that session")
    site.server.execute("DROP FUNCTION hold_up CASCADE", name=NAME)
    assert site.count(request_id) == int(was_stored)

    assert site.submit(request_id)[0] == (200 if was_stored else 202)
    assert site.count(request_id) == 1


@contextmanager
def hold(server):
    """The lock that `hold_up` asks for."""
    import psycopg

    with psycopg.connect(server.url(NAME), autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(4711)")
        yield


def test_nothing_of_all_that_was_a_500(site):
    log = (site.folder / "web.log").read_text()

    assert "status=503" in log
    assert "status=500" not in log
