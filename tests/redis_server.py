"""A real Redis of the test's own, which may be killed, frozen, flushed and lied to."""

import os
import shutil
import signal
import subprocess
import time

import pytest
import redis
from django.core.cache import caches

from tests.ports import own_port
from users import shared_cache
from users.redis_cache import OUTAGE, CarefulConnectionFactory

#: A busy machine may be slow. Seconds.
PATIENCE = 60


class OwnRedis:
    """A server on a port of its own, without a file."""

    def __init__(self, *options):
        self.port = own_port()
        self._options = options
        self._process = None
        self.url = f"redis://127.0.0.1:{self.port}/0"
        #: Past all our code.
        self.raw = redis.Redis(port=self.port, socket_timeout=PATIENCE)
        self.start()

    def start(self):
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *self._options],
            stdout=subprocess.DEVNULL,
        )
        ends_at = time.monotonic() + PATIENCE
        while not self.answers():
            assert time.monotonic() < ends_at, "Redis did not start"
            time.sleep(0.02)

    def answers(self):
        try:
            return self.raw.ping()
        except redis.ConnectionError:
            return False

    def kill(self):
        self._process.kill()
        self._process.wait(PATIENCE)

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        self.raw.close()
        self.kill()


def require_redis_server():
    """An absent server is said loudly; with CI=true it is a failure."""
    if shutil.which("redis-server"):
        return
    words = "*** There is no redis-server on this machine, this test DID NOT RUN"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="module")
def redis_of_module():
    require_redis_server()
    server = OwnRedis()
    yield server
    server.stop()


@pytest.fixture
def own_redis(redis_of_module, settings):
    """The installation uses it; it is empty and runs, whatever the test before did."""
    server = redis_of_module
    server.thaw()
    if not server.answers():
        server.start()
    server.raw.flushall()
    with installed(server.url, settings):
        yield server


class installed:  # noqa: N801  read as a word
    """This Redis is the one of `REDIS_URL`."""

    def __init__(self, url, settings):
        self._url, self._settings = url, settings

    def __enter__(self):
        self._settings.REDIS_URL = self._url
        self._settings.CACHES = {**self._settings.CACHES, "default": self._settings.REDIS | {"LOCATION": self._url}}
        OUTAGE.forget()
        shared_cache._unsent().clear()

    def __exit__(self, *exc_info):
        for pool in CarefulConnectionFactory._pools.values():
            pool.disconnect()
        CarefulConnectionFactory._pools.clear()
        CarefulConnectionFactory._clusters.clear()
        caches.close_all()
        OUTAGE.forget()
