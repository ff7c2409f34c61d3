"""Redis as Django's cache: it may be away at any moment. Short time-outs, and after a failure it is left alone a while.

Only `CACHES` names this file, so that a process without `REDIS_URL` never loads the library.
"""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

import redis
import structlog
from django_redis.cache import RedisCache
from django_redis.pool import ConnectionFactory
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.cluster import ClusterPipeline, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

log = structlog.get_logger(__name__)

#: After a failure nobody asks for so long; then one question is tried.
LEFT_ALONE = timedelta(seconds=5)
#: Seconds.
PATIENCE = {"socket_connect_timeout": 0.2, "socket_timeout": 0.3}
#: The server cannot be reached, hangs, or its cluster has lost its way. Anything else is an answer.
AWAY = (RedisConnectionError, RedisTimeoutError, RedisClusterException)


class RedisLeftAlone(RedisConnectionError):
    """Redis failed a moment ago; this question was not asked."""


class Outage:
    """Whether this process leaves Redis alone just now. One question in `LEFT_ALONE` tries whether it is back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_on = False
        self._next_try = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around every exchange with the server. Raises `RedisLeftAlone` instead of asking in vain."""
        if self._is_on:
            self._take_turn()
        try:
            yield
        except AWAY as error:
            self._begin(error)
            raise
        if self._is_on:
            self._end()

    def _take_turn(self) -> None:
        with self._lock:
            if time.monotonic() < self._next_try:
                raise RedisLeftAlone("Redis failed a moment ago and is left alone.")
            self._next_try = time.monotonic() + LEFT_ALONE.total_seconds()

    def _begin(self, error: Exception) -> None:
        with self._lock:
            is_news, self._is_on = not self._is_on, True
            self._next_try = time.monotonic() + LEFT_ALONE.total_seconds()
        if is_news:
            # Without its text, which may repeat the address.
            log.warning("Redis is away; going on without it.", action="redis_away", detail=type(error).__name__)

    def _end(self) -> None:
        with self._lock:
            was_on, self._is_on = self._is_on, False
        if was_on:
            log.info("Redis is back.", action="redis_back")

    def forget(self) -> None:
        """As if it had never failed: the next question is asked."""
        self._is_on = False


#: Of this process.
OUTAGE = Outage()


class CarefulPipeline(Pipeline):
    """Several questions in one round trip."""

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """As Redis answers; raises `RedisLeftAlone` during an outage."""
        with OUTAGE.watched():
            return super().execute(raise_on_error)


class CarefulRedis(redis.Redis):
    """One server."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """As Redis answers; raises `RedisLeftAlone` during an outage."""
        with OUTAGE.watched():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> CarefulPipeline:
        """Ours."""
        return CarefulPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class CarefulCluster(RedisCluster):
    """Several servers that share the keys."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """As the cluster answers; raises `RedisLeftAlone` during an outage."""
        with OUTAGE.watched():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool | None = None, shard_hint: Any = None) -> ClusterPipeline:
        """One round trip per server; never a transaction, whose keys would have to lie together."""
        made: ClusterPipeline = super().pipeline(transaction=False)  # type: ignore[no-untyped-call]
        ask = made.execute

        def execute(raise_on_error: bool = True) -> list[Any]:
            with OUTAGE.watched():
                answers: list[Any] = ask(raise_on_error)
                # A server that is away is one answer among others here, and would be waited for every time.
                if trouble := next((each for each in answers if isinstance(each, AWAY)), None):
                    raise trouble
                return answers

        made.execute = execute  # type: ignore[method-assign]
        return made


class CarefulConnectionFactory(ConnectionFactory):  # type: ignore[misc]  # ships no types
    """django-redis asks it for the client of an address; `redis+cluster://` means the whole cluster behind it."""

    _clusters: ClassVar[dict[str, RedisCluster]] = {}
    _cluster_lock = threading.Lock()

    def make_connection_params(self, url: str) -> dict[str, Any]:
        """How patient a connection is. One that the server has closed is opened anew at once."""
        once_more = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
        params: dict[str, Any] = super().make_connection_params(url)
        return params | PATIENCE | {"retry": once_more}

    def connect(self, url: str) -> Any:
        """The client; for a cluster one per process, since it keeps the map of the servers."""
        scheme, _, is_cluster = urlsplit(url).scheme.partition("+")
        if not is_cluster:
            return super().connect(url)
        with self._cluster_lock:
            if url not in self._clusters:
                with OUTAGE.watched():  # a cluster is asked for its map at once
                    address = f"{scheme}://{urlsplit(url).netloc}"
                    self._clusters[url] = CarefulCluster.from_url(address, retry=Retry(NoBackoff(), 1), **PATIENCE)
            return self._clusters[url]


class CarefulRedisCache(RedisCache):  # type: ignore[misc]  # ships no types
    """Django's cache, and our own way to ask several things at once."""

    def ask(self, commands: Collection[tuple[Any, ...]]) -> list[Any] | None:
        """The answers in one round trip, a refusal among them as an exception object. None: Redis is away."""
        try:
            pipeline = self.client.get_client(write=True).pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = pipeline.execute(raise_on_error=False)
        except (RedisError, RedisClusterException):
            return None  # said by OUTAGE, once
        return answers
