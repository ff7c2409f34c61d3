"""An installation of its own, on whose processes a test lays hands; on SQLite embedded, on PostgreSQL with RabbitMQ."""

import contextlib
import itertools
import json
import shutil
import signal
import uuid
from collections import Counter

import psycopg
from django.db import connection
from psycopg import sql

from consumers.brokers.rabbitmq import declaration
from consumers.brokers.rabbitmq.topology import Topology
from tests.chaos import evidence
from tests.chaos.checker import HOLD, RESEND, judge
from tests.chaos.logging_provider import LOG, NAME
from tests.chaos.nursery import PATIENCE, Nursery, until
from tests.chaos.scene import CLIENT_LOG, request_body

#: What a round of requests asks to do about doubts.
RULES = (RESEND, RESEND, HOLD)
COMMANDS = {
    "relay": ("run_relay",),
    "consumer": ("run_email_consumer", "--name", "consumer", "--port", "0"),
    "second": ("run_email_consumer", "--name", "second", "--port", "0"),
    "sweeper": ("run_sweeper",),
}


class Stage:
    """The processes, the logs, the judgement."""

    def __init__(self, folder, database, variables, *, topology=None, database_url=""):
        self.folder, self.database, self.topology, self.database_url = folder, database, topology, database_url
        self._numbers = itertools.count()
        (folder / CLIENT_LOG).touch()
        self._nursery = Nursery(
            folder,
            **{"CHAOS_PROVIDER": NAME, "CHAOS_LISTENER": "1", "MAX_ATTEMPTS": "50", "LOG_LEVEL": "INFO"} | variables,
        )
        self.scene = self._nursery.wait_until_ready()
        self.alive = {}

    @property
    def has_broker(self):
        return self.topology is not None

    def start(self, name, failpoints=""):
        self.alive[name] = self._nursery.start(name, *COMMANDS[name], failpoints=failpoints)
        return self.alive[name]

    def start_others(self, *but):
        """Whoever the mode needs and does not run yet."""
        for name in ("relay", "consumer", "sweeper"):
            is_there = name in self.alive and self.alive[name].is_alive
            if name not in but and not is_there and (name != "relay" or self.has_broker):
                self.start(name)

    def stop(self, *names):
        """In an orderly way."""
        going = [self.alive.pop(name) for name in names or list(self.alive)]
        for child in going:
            child.send(signal.SIGTERM)
        ends = {child.name: child.wait() for child in going}
        # One that had only just begun does not hear signals yet; one that was killed before is none of ours.
        assert set(ends.values()) <= {0, -signal.SIGTERM, -signal.SIGKILL}, ends

    def post(self, bodies, failpoints=""):
        """A client's requests, in a process of their own."""
        command = ("post", str(self.folder), self.scene["key"], json.dumps(bodies))
        return self._nursery.start("web", *command, failpoints=failpoints)

    def bodies(self, rules=RULES, **more):
        person = self.scene["people"][0]
        return [request_body(f"request-{next(self._numbers)}", person=person, rule=rule, **more) for rule in rules]

    def submit(self, rules=RULES, **more):
        """Accepted; their ids."""
        bodies = self.bodies(rules, **more)
        assert self.post(bodies).wait() == 0
        return self.ids_of(bodies)

    def ids_of(self, bodies):
        told = dict(evidence.read_client_log(self.folder / CLIENT_LOG)[1])
        return [told[body["request_id"]] for body in bodies]

    def statuses(self, ids):
        rows = evidence.rows_of(self.database)
        return Counter(rows[id_].status for id_ in ids if id_ in rows)

    def settle(self, within=PATIENCE):
        until(lambda: self.database(evidence.UNSETTLED)[0][0] == 0, "the end of everything", within)

    def judge(self):
        logs = {"client_log": self.folder / CLIENT_LOG, "provider_log": self.folder / LOG}
        return judge(evidence.gather(**logs, database=self.database))

    def close(self):
        self._nursery.close()


@contextlib.contextmanager
def open_stage(request, folder, *, time_scale, **variables):
    """On the kind of database of this half of the tests; everything it made is gone afterwards.

    It begins with a copy of the tests' migrated database: migrations take longer than most of what happens on it.
    """
    variables |= {"DELIVERY_TIME_SCALE": str(time_scale)}
    migrated = request.getfixturevalue("django_db_setup")
    with contextlib.ExitStack() as stack:
        if connection.vendor == "sqlite":
            with migrated.name_to_copy() as name:
                shutil.copy(name, folder / "notifications.sqlite3")
            stage = Stage(folder, evidence.sqlite(folder / "notifications.sqlite3"), variables)
        else:
            rabbitmq_url = request.getfixturevalue("rabbitmq_url")
            topology = Topology(prefix=f"test-{uuid.uuid4().hex[:8]}.")
            stack.callback(declaration.remove, rabbitmq_url, topology)
            url = stack.enter_context(_own_database(migrated))
            variables |= {"DATABASE_URL": url, "RABBITMQ_URL": rabbitmq_url, "RABBITMQ_PREFIX": topology.prefix}
            stage = Stage(folder, evidence.postgresql(url), variables, topology=topology, database_url=url)
        stack.callback(stage.close)
        yield stage


@contextlib.contextmanager
def _own_database(migrated):
    """Beside the one of the tests; its address."""
    has = connection.settings_dict
    login = {"host": has["HOST"], "port": has["PORT"], "user": has["USER"], "password": has["PASSWORD"]}
    login = {name: str(value) for name, value in login.items() if value}
    name = f"stage_{uuid.uuid4().hex[:8]}"
    user = login.get("user", "") + (f":{login['password']}" if "password" in login else "")
    with psycopg.connect(dbname="postgres", autocommit=True, **login) as server, migrated.name_to_copy() as template:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        server.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    yield f"postgres://{user}@{login.get('host', '127.0.0.1')}:{login.get('port', 5432)}/{name}"
    with psycopg.connect(dbname="postgres", autocommit=True, **login) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
