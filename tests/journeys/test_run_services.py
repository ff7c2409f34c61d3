"""`manage.py run_services`: every service of docker-compose.yml as a process, from an empty server to nothing left."""

import json
import os
import signal
import subprocess
import urllib.request
import uuid

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from consumers.service_roles import SERVICES
from gateway.demo_samples import FIRST
from tests.journeys.test_run_platform import PATIENCE, Platform, is_alive
from tests.ports import own_port

OFFSETS = [role.port_offset for role in SERVICES if role.port_offset is not None]


class Services(Platform):
    """One start of run_services on a database and under queue names of its own."""

    def __init__(self, folder, port, **servers):
        super().__init__(folder, port)
        self._servers = servers

    def command(self, *arguments, **variables):
        arguments = ["run_services" if word == "run_platform" else word for word in arguments]
        return super().command(*arguments, **self._servers, **variables)

    def health(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)


@pytest.fixture
def new_database_url(on_postgresql):
    """The address of a database that does not exist yet; gone afterwards."""
    has = connection.settings_dict
    login = {"host": has["HOST"], "port": has["PORT"], "user": has["USER"], "password": has["PASSWORD"]}
    login = {name: str(value) for name, value in login.items() if value}
    name = f"services_{uuid.uuid4().hex[:8]}"
    user = login.get("user", "") + (f":{login['password']}" if "password" in login else "")
    yield f"postgres://{user}@{login.get('host', '127.0.0.1')}:{login.get('port', 5432)}/{name}"
    with psycopg.connect(dbname="postgres", autocommit=True, **login) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def services(tmp_path, new_database_url, rabbitmq_url, topology):
    made = Services(
        tmp_path,
        own_port(*OFFSETS),
        DATABASE_URL=new_database_url,
        RABBITMQ_URL=rabbitmq_url,
        RABBITMQ_PREFIX=topology.prefix,
    )
    yield made
    if made.process is not None and made.process.poll() is None:
        left = made.all_pids()
        made.process.kill()
        made.process.wait()
        for pid in left:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def test_it_starts_every_service_sends_and_leaves_nothing_behind(services):
    services.start()

    told = services.out.read_text()
    assert "Making the database services_" in told
    for role in SERVICES:
        assert f"  {role.name} " in told
    shown = {role.name: services.health(role.port(services.port)) for role in SERVICES if role.port_offset is not None}
    assert {name: (status, body["role"]) for name, (status, body) in shown.items()} == {
        "web": (200, "all"),
        "users": (200, "users"),
        "templates": (200, "templates"),
        "email_consumer": (200, "email_consumer"),
        "push_consumer": (200, "push_consumer"),
    }
    services.send(FIRST.body | {"request_id": str(uuid.uuid4())})
    everything = services.all_pids()
    assert len(everything) >= len(SERVICES)

    assert services.stop(signal.SIGINT) == 0

    assert not [pid for pid in everything if is_alive(pid)]
    assert services.out.read_text().endswith("Stopped.\n")


def test_without_postgresql_it_says_what_to_do(tmp_path):
    command, environment = Services(tmp_path, own_port(*OFFSETS)).command("run_services")
    environment.pop("DATABASE_URL", None)

    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert refused.returncode == 1
    assert refused.stderr == (
        "Separate services need PostgreSQL: set DATABASE_URL, or start everything with `make run`.\n"
    )


def test_a_server_that_is_away_is_named(tmp_path):
    made = Services(tmp_path, own_port(*OFFSETS), DATABASE_URL="postgres://postgres@127.0.0.1:1/nothing")
    command, environment = made.command("run_services")

    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert refused.returncode == 1
    assert refused.stderr.startswith("PostgreSQL does not answer at postgresql://127.0.0.1:1/nothing: ")
    assert len(refused.stderr.splitlines()) == 1
