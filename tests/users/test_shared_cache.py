"""What is shared may vanish, be flushed or lie: never worse than a truth of a minute ago."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import override_settings

from users import shared_cache
from users.redis_cache import OUTAGE
from users.shared_cache import ask, keep, keep_soon, look_up, mark_changed, mark_on_commit, new_slot

TTL = timedelta(seconds=60)


def values(own_redis):
    return [key for key in own_redis.raw.keys("*") if key.endswith(b":value")]


def kept(name="a", value="truth"):
    keep(look_up(name), value, ttl=TTL)


@pytest.fixture
def clock(monkeypatch):
    now = [1_700_000_000.0]
    monkeypatch.setattr(shared_cache, "time", SimpleNamespace(time=lambda: now[0]))
    return now


def test_what_one_keeps_another_finds(own_redis):
    who = uuid4()
    kept(value={"id": who, "days": [1, 2], "name": "Änn"})

    assert look_up("a").value == {"id": str(who), "days": [1, 2], "name": "Änn"}
    assert look_up("b").value is None


def test_without_redis_nothing_is_kept_and_nothing_found(settings):
    settings.REDIS_URL = ""
    kept()

    assert look_up("a").value is None
    assert mark_changed(["a"], kept_for=TTL) == []


def test_names_and_values_cannot_be_read_in_redis(own_redis):
    kept("person:email:user-123", {"email": "ann@example.com"})

    stored = b"".join(own_redis.raw.keys()) + b"".join(own_redis.raw.mget(own_redis.raw.keys()))
    assert b"user-123" not in stored
    assert b"ann" not in stored


# --- what goes with the next question ---------------------------------------------------------------------------------


def test_what_has_time_goes_with_the_next_question(own_redis):
    keep_soon(new_slot("a"), "truth", ttl=TTL)
    assert own_redis.raw.keys() == []

    assert look_up("b").value is None
    assert look_up("a").value == "truth"


def test_the_answers_are_those_to_the_question(own_redis):
    keep_soon(new_slot("a"), "truth", ttl=TTL)
    keep_soon(new_slot("b"), "another", ttl=TTL)

    assert ask([("INCR", "counter"), ("INCR", "counter")]) == [1, 2]


def test_a_thread_that_asks_nothing_keeps_only_the_newest(own_redis):
    for number in range(shared_cache.MOST_UNSENT + 1):
        keep_soon(new_slot(str(number)), number, ttl=TTL)

    assert look_up("0").value is None
    assert look_up("1").value == 1


def test_what_waited_is_lost_with_redis_and_not_sent_twice(own_redis):
    keep_soon(new_slot("a"), "truth", ttl=TTL)
    own_redis.kill()
    assert look_up("b").value is None

    own_redis.start()
    OUTAGE.forget()
    assert look_up("a").value is None


def test_without_redis_nothing_waits(settings):
    settings.REDIS_URL = ""
    keep_soon(new_slot("a"), "truth", ttl=TTL)

    assert not shared_cache._unsent()


# --- changes ----------------------------------------------------------------------------------------------------------


def test_after_a_change_nothing_from_before_counts(own_redis):
    kept()
    mark_changed(["a"], kept_for=TTL)

    assert look_up("a").value is None
    kept(value="new truth")
    assert look_up("a").value == "new truth"


def test_a_slow_reader_cannot_put_back_what_it_read_before_the_change(own_redis):
    slot = look_up("a")  # and reads the truth now
    mark_changed(["a"], kept_for=TTL)
    keep(slot, "old truth", ttl=TTL)

    assert look_up("a").value is None


def test_whoever_changes_may_fill_in_what_is_true_now(own_redis):
    [slot] = mark_changed(["a"], kept_for=TTL)
    keep(slot, "new truth", ttl=TTL)

    assert look_up("a").value == "new truth"


def test_of_two_who_change_only_the_last_may_fill_in(own_redis):
    [first] = mark_changed(["a"], kept_for=TTL)
    [second] = mark_changed(["a"], kept_for=TTL)
    keep(second, "second", ttl=TTL)
    keep(first, "first", ttl=TTL)

    assert look_up("a").value is None  # the first one's value was written over the second's, and does not count


def test_the_mark_outlives_every_value(own_redis):
    mark_changed(["a"], kept_for=TTL)

    [mark] = own_redis.raw.keys("*:mark")
    assert own_redis.raw.ttl(mark) > TTL.total_seconds()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_change_is_told_after_the_commit(own_redis):
    kept()
    with transaction.atomic():
        mark_on_commit(["a"], kept_for=TTL)
        assert look_up("a").value == "truth"

    assert look_up("a").value is None


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_change_that_did_not_happen_is_not_told(own_redis):
    kept()
    with transaction.atomic():
        mark_on_commit(["a"], kept_for=TTL)
        transaction.set_rollback(True)

    assert look_up("a").value == "truth"


# --- a Redis that lies ------------------------------------------------------------------------------------------------


def test_a_value_grows_old_whatever_redis_says(own_redis, clock):
    kept()
    [key] = values(own_redis)
    own_redis.raw.persist(key)

    clock[0] += 59
    assert look_up("a").value == "truth"
    clock[0] += 1.1
    assert look_up("a").value is None


def test_its_age_counts_from_the_moment_before_the_truth_was_read(own_redis, clock):
    slot = look_up("a")
    clock[0] += 61  # frozen between reading and keeping
    keep(slot, "old truth", ttl=TTL)

    assert look_up("a").value is None


@pytest.mark.parametrize("lie", [b"", b"x", b"\x00" * 500, b'{"id": 1}', b"\x80\x04N.", "ü".encode() * 40])
def test_rubbish_is_not_there(own_redis, lie):
    kept()
    for key in values(own_redis):
        own_redis.raw.set(key, lie)

    assert look_up("a").value is None


def test_a_changed_byte_is_noticed(own_redis):
    kept()
    [key] = values(own_redis)
    sealed = own_redis.raw.get(key)
    for place in (0, 12, len(sealed) - 1):
        own_redis.raw.setrange(key, place, bytes([sealed[place] ^ 1]))
        assert look_up("a").value is None
        own_redis.raw.set(key, sealed)
    assert look_up("a").value == "truth"


def test_a_value_under_another_name_is_noticed(own_redis):
    kept("a")
    [key] = values(own_redis)
    stolen = own_redis.raw.get(key)
    kept("b", "other")
    [other] = set(values(own_redis)) - {key}
    own_redis.raw.set(other, stolen)

    assert look_up("b").value is None


@pytest.mark.parametrize("fill", ["lpush", "sadd"])
@pytest.mark.parametrize("kind", [b":value", b":mark"])
def test_keys_of_another_type_are_survived(own_redis, kind, fill):
    kept()
    mark_changed(["a"], kept_for=TTL)
    kept()
    [key] = [each for each in own_redis.raw.keys("*") if each.endswith(kind)]
    own_redis.raw.delete(key)
    getattr(own_redis.raw, fill)(key, "x")

    assert look_up("a").value is None
    kept()
    assert look_up("a").value in ("truth", None)


def test_a_mark_that_vanishes_brings_nothing_old_back(own_redis):
    mark_changed(["a"], kept_for=TTL)
    kept()
    own_redis.raw.delete(*own_redis.raw.keys("*:mark"))

    assert look_up("a").value is None


def test_another_secret_finds_nothing(own_redis):
    kept()
    with override_settings(SECRET_KEY="another"):
        assert look_up("a").value is None


def test_a_killed_redis_keeps_and_finds_nothing(own_redis):
    kept()
    own_redis.kill()

    assert look_up("a").value is None
    kept()
    assert mark_changed(["a"], kept_for=TTL) == []
