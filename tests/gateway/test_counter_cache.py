"""Counts are exact in the table and in Redis; without either a process counts for itself."""

import threading

import pytest
from django.core.cache import caches
from django.db import connection

from gateway.counter_cache import (
    HERE,
    DatabaseCounterCache,
    LocalCounters,
    RedisCounterCache,
    forget_counts,
)
from gateway.models import RateCount

THREADS, EACH = 8, 25


def count(counters, key="k", timeout=60):
    assert counters.add(key, 1, timeout) is False
    return counters.incr(key)


@pytest.fixture
def in_table(db):
    return DatabaseCounterCache("", {})


@pytest.fixture
def in_redis(own_redis):
    return RedisCounterCache("", {})


@pytest.fixture(autouse=True)
def nothing_counted_here():
    HERE.__init__()


def all_at_once(counters):
    numbers = []

    def work():
        numbers.extend(count(counters()) for _ in range(EACH))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    return sorted(numbers)


def test_without_redis_the_table_counts():
    assert isinstance(caches["ratelimit"], DatabaseCounterCache)


@pytest.mark.parametrize("kind", ["in_table", "in_redis"])
def test_it_counts_from_one_and_each_key_for_itself(kind, request):
    counters = request.getfixturevalue(kind)

    assert [count(counters), count(counters), count(counters, "other"), count(counters)] == [1, 2, 1, 3]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_table_loses_no_count_of_many_threads():
    assert all_at_once(lambda: DatabaseCounterCache("", {})) == list(range(1, THREADS * EACH + 1))


def test_redis_loses_no_count_of_many_threads(own_redis):
    assert all_at_once(lambda: RedisCounterCache("", {})) == list(range(1, THREADS * EACH + 1))


def test_a_count_in_the_table_is_forgotten_when_its_window_is_over(in_table):
    count(in_table, "over", timeout=-1)
    count(in_table, "open", timeout=60)

    assert forget_counts() == 1
    assert RateCount.objects.get().key.endswith("open")


def test_a_count_in_redis_ends_by_itself(in_redis, own_redis):
    count(in_redis, timeout=65)

    [key] = own_redis.raw.keys()
    assert 60 < own_redis.raw.ttl(key) <= 65


def test_while_redis_is_away_the_process_counts_for_itself(in_redis, own_redis):
    assert [count(in_redis), count(in_redis)] == [1, 2]
    own_redis.kill()

    assert [count(in_redis), count(in_redis)] == [1, 2]


def test_a_flushed_redis_begins_anew(in_redis, own_redis):
    assert [count(in_redis), count(in_redis)] == [1, 2]
    own_redis.raw.flushall()

    assert count(in_redis) == 1


@pytest.mark.parametrize("lie", [b"garbage", b"-7", b"9" * 30, b"1.5"])
def test_a_number_that_is_none_is_replaced(in_redis, own_redis, lie):
    count(in_redis)
    [key] = own_redis.raw.keys()
    own_redis.raw.set(key, lie)

    assert [count(in_redis), count(in_redis), count(in_redis)] == [1, 1, 2]


def test_a_key_of_another_type_is_replaced(in_redis, own_redis):
    count(in_redis)
    [key] = own_redis.raw.keys()
    own_redis.raw.delete(key)
    own_redis.raw.lpush(key, 1, 2)

    assert [count(in_redis), count(in_redis)] == [1, 1]


def test_a_process_does_not_keep_its_own_counts_for_ever(monkeypatch):
    monkeypatch.setattr("gateway.counter_cache.TIDY_FROM", 3)
    counters = LocalCounters()
    for number in range(10):
        counters.count(f"k{number}", -1)

    assert len(counters._counts) <= 3
