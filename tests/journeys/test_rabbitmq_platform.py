"""The platform on PostgreSQL and RabbitMQ: killed relays and a broker that goes away cost time, nothing else."""

import os
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from gateway.demo_samples import FIRST
from tests.journeys.test_run_platform import OFFSETS, Platform, is_alive, until
from tests.ports import own_port

COUNT, KILLS = 200, 3


class OnServers(Platform):
    """One start of run_platform on a database and under queue names of its own."""

    def __init__(self, folder, port, *, database_url, rabbitmq_url, topology):
        super().__init__(folder, port)
        self._database_url = database_url
        self._servers = {
            "DATABASE_URL": database_url,
            "RABBITMQ_URL": rabbitmq_url,
            "RABBITMQ_PREFIX": topology.prefix,
        }

    def command(self, *arguments, **variables):
        return super().command(*arguments, **self._servers, **variables)

    def rows(self, statement, *values):
        with psycopg.connect(self._database_url) as database:
            return database.execute(statement.replace("?", "%s"), values).fetchall()


@pytest.fixture
def database_url(on_postgresql):
    """A database of this test alone, beside the one of the tests."""
    has = connection.settings_dict
    login = {"host": has["HOST"], "port": has["PORT"], "user": has["USER"], "password": has["PASSWORD"]}
    login = {name: str(value) for name, value in login.items() if value}
    name = f"journey_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(dbname="postgres", autocommit=True, **login) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        user = login.get("user", "") + (f":{login['password']}" if "password" in login else "")
        yield f"postgres://{user}@{login.get('host', '127.0.0.1')}:{login.get('port', 5432)}/{name}"
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def platform(tmp_path, database_url, wire, topology):
    made = OnServers(tmp_path, own_port(*OFFSETS), database_url=database_url, rabbitmq_url=wire.url, topology=topology)
    yield made
    if made.process is not None and made.process.poll() is None:
        left = made.all_pids()
        made.process.kill()
        made.process.wait()
        for pid in left:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def submit(platform, count):
    """So many mails, four at a time; every one is answered with 202."""

    def one(number):
        return platform.ask("/api/v1/notifications/", FIRST.body | {"request_id": str(uuid.uuid4())})[0]

    with ThreadPoolExecutor(4) as clients:
        assert set(clients.map(one, range(count))) == {202}


def count_sent(platform):
    ((count,),) = platform.rows("SELECT count(*) FROM gateway_notification WHERE status IN ('sent', 'delivered')")
    return count


def kill_relay(platform):
    pid = until(lambda: platform.pids("relay"), "the relay")[-1]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(pid), "its end")


def test_everything_arrives_once_though_relays_are_killed_and_the_broker_goes_away(platform, wire, topology, tap):
    platform.start()
    assert platform.ask("/health")[1]["checks"]["broker"]["status"] == "ok"
    # The prefix has reached every process: nobody drains somebody else's queues.
    until(lambda: tap.consumers(topology.queue("email")) == tap.consumers(topology.queue("push")) == 1, "the consumers")

    for _ in range(KILLS):
        submit(platform, COUNT // KILLS // 2)
        kill_relay(platform)
        submit(platform, COUNT // KILLS // 2)
    wire.cut()
    submit(platform, COUNT - KILLS * 2 * (COUNT // KILLS // 2))
    assert platform.ask("/health")[1]["checks"]["broker"]["status"] == "degraded"
    assert platform.ask("/health/ready")[0] == 200
    wire.mend()
    until(lambda: count_sent(platform) == COUNT, "the delivery of all")

    ((mails, notifications),) = platform.rows(
        "SELECT count(*), count(DISTINCT notification_id) FROM channels_email_capturedemail"
    )
    assert (mails, notifications) == (COUNT, COUNT)
    until(lambda: tap.depth(topology.queue("email")) == 0, "the empty queue")
    assert tap.depth(topology.failed) == 0
    everything = platform.all_pids()
    assert platform.stop() == 0
    assert not [pid for pid in everything if is_alive(pid)]
    assert tap.consumers(topology.queue("email")) == 0
