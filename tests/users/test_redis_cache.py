"""Redis may be away at any moment: asked once in a while then, and never waited for twice."""

import threading
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from redis import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from tests.rabbitmq_server import until
from tests.redis_server import OwnRedis, installed, own_port, require_redis_server
from users import redis_cache
from users.redis_cache import OUTAGE, Outage, RedisLeftAlone


def ask(*commands):
    return cache.ask(commands)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    now = [1000.0]
    monkeypatch.setattr(redis_cache, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def asked(monkeypatch):
    """How often the network was used."""
    times = []
    plain = redis_cache.Pipeline.execute
    monkeypatch.setattr(redis_cache.Pipeline, "execute", lambda *a, **k: times.append(1) or plain(*a, **k))
    return times


def fails(outage):
    with pytest.raises(RedisConnectionError) as caught, outage.watched():
        raise RedisConnectionError("away")
    return caught.type


# --- an outage --------------------------------------------------------------------------------------------------------


def test_after_a_failure_nobody_asks_for_some_seconds(clock):
    outage = Outage()
    assert fails(outage) is RedisConnectionError

    clock[0] += 4.9
    assert fails(outage) is RedisLeftAlone


def test_then_one_asks_and_the_others_still_do_not(clock):
    outage = Outage()
    fails(outage)
    clock[0] += 5.1

    with outage.watched():
        assert fails(outage) is RedisLeftAlone  # somebody else, while the first still waits for the answer
    with outage.watched():
        pass  # it is back, for all


def test_an_outage_is_said_once_and_so_is_its_end(clock, caplog):
    caplog.set_level("INFO")
    outage = Outage()
    for _ in range(3):
        fails(outage)
        clock[0] += 5.1
    with outage.watched():
        pass

    actions = [record.msg.get("action") for record in caplog.records if isinstance(record.msg, dict)]
    assert actions == ["redis_away", "redis_back"]


def test_what_a_server_refuses_is_an_answer_and_no_outage():
    outage = Outage()
    with pytest.raises(ResponseError), outage.watched():
        raise ResponseError("WRONGTYPE")

    with outage.watched():
        pass


# --- a server ---------------------------------------------------------------------------------------------------------


def test_several_answers_come_in_one_round_trip(own_redis, asked):
    assert ask(("SET", "a", 1), ("GET", "a"), ("GET", "b")) == [True, b"1", None]
    assert len(asked) == 1


def test_a_refusal_is_one_answer_among_others(own_redis):
    own_redis.raw.lpush("list", "x")

    first, second = ask(("GET", "list"), ("SET", "a", 1))
    assert isinstance(first, ResponseError)
    assert second is True


def test_a_killed_server_is_asked_once(own_redis, asked, clock):
    own_redis.kill()

    assert [ask(("GET", "a")) for _ in range(20)] == [None] * 20
    assert len(asked) == 1
    assert cache.get("a", "nothing") == "nothing"


def test_a_frozen_server_is_waited_for_once(own_redis, asked, clock):
    own_redis.freeze()

    assert [ask(("GET", "a")) for _ in range(20)] == [None] * 20
    assert len(asked) == 1
    clock[0] += 5.1
    assert [ask(("GET", "a")) for _ in range(20)] == [None] * 20
    assert len(asked) == 2


def test_a_server_that_is_back_is_used_again(own_redis, clock):
    own_redis.kill()
    assert ask(("GET", "a")) is None
    own_redis.start()
    assert ask(("GET", "a")) is None  # left alone still

    clock[0] += 5.1

    assert ask(("SET", "a", 1)) == [True]


def test_a_restart_between_two_questions_is_not_noticed(own_redis):
    ask(("GET", "a"))
    own_redis.kill()
    own_redis.start()

    assert ask(("SET", "a", 1)) == [True]
    assert not OUTAGE._is_on


def test_threads_do_not_wait_one_after_the_other(own_redis, clock):
    own_redis.kill()
    results = []
    threads = [threading.Thread(target=lambda: results.append(ask(("GET", "a")))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)

    assert results == [None] * 8


def test_nothing_of_ours_is_pickled(own_redis):
    cache.set("words", {"a": [1, "b"]})

    assert cache.get("words") == {"a": [1, "b"]}
    assert own_redis.raw.get(":1:words") == b'{"a": [1, "b"]}'


# --- a cluster --------------------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(settings, tmp_path):
    """Of one server, which holds all slots: it speaks as the first of a hundred would."""
    require_redis_server()
    server = OwnRedis("--cluster-enabled", "yes", "--cluster-port", str(own_port()), "--dir", str(tmp_path))
    try:
        server.raw.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until(lambda: server.raw.execute_command("CLUSTER INFO")["cluster_state"] == "ok", "the cluster's start")
        with installed(f"redis+cluster://127.0.0.1:{server.port}", settings):
            yield server
    finally:
        server.stop()


def test_a_cluster_answers_like_one_server(cluster):
    assert ask(("SET", "a", 1), ("SET", "b", 2), ("GET", "a"), ("GET", "b")) == [True, True, b"1", b"2"]
    cache.set("c", [3])
    assert cache.get("c") == [3]


def test_a_cluster_that_is_away_is_left_alone(cluster, clock):
    ask(("GET", "a"))
    cluster.kill()

    assert [ask(("GET", "a")) for _ in range(5)] == [None] * 5
    assert OUTAGE._is_on


def test_a_cluster_that_was_never_there_is_left_alone(cluster, settings, clock):
    cluster.kill()

    assert [ask(("GET", "a")) for _ in range(5)] == [None] * 5
    assert OUTAGE._is_on
