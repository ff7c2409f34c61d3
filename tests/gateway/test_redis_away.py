"""Redis may be killed, frozen, flushed or lie in the middle of things: every POST is still 202, no row is doubled."""

import itertools
from datetime import timedelta

import pytest

from gateway.counter_cache import LocalCounters
from gateway.models import Notification
from tests.gateway.api_scene import PUBLISHED, client_with_key, post
from tests.gateway.api_scene import submit as submitted
from users.models import Preference
from users.redis_cache import Pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counted_in_redis(settings, own_redis, monkeypatch):
    monkeypatch.setattr("gateway.counter_cache.HERE", LocalCounters())
    settings.CACHES = settings.CACHES | {"ratelimit": {"BACKEND": "gateway.counter_cache.RedisCounterCache"}}


@pytest.fixture
def shop(ann, welcome):
    return client_with_key()


def flush(server):
    server.raw.flushall()


def kill(server):
    server.kill()


def freeze(server):
    server.freeze()


def restart(server):
    server.kill()
    server.start()


def rubbish(server):
    for key in server.raw.keys("*"):
        server.raw.set(key, b"\x80\x05rubbish")


def other_types(server):
    for number, key in enumerate(server.raw.keys("*")):
        server.raw.delete(key)
        server.raw.lpush(key, 1) if number % 2 else server.raw.hset(key, "a", 1)


def swapped(server):
    """Every value under the key of another."""
    keys = server.raw.keys("*:value")
    values = server.raw.mget(keys)
    server.raw.mset(dict(zip(keys, values[1:] + values[:1], strict=True)))


def old_snapshot(server):
    """Everything as it was before the last changes, marks among them."""
    server.raw.delete(*server.raw.keys("*:mark") or [b"none"])


HARM = [flush, kill, freeze, restart, rubbish, other_types, swapped, old_snapshot]


@pytest.mark.parametrize("harm", HARM)
def test_every_request_is_accepted_once(shop, own_redis, harm):
    first = [submitted(shop, request_id=f"before-{number}") for number in range(3)]
    harm(own_redis)

    later = [submitted(shop, request_id=f"after-{number}") for number in range(5)]
    again = [submitted(shop, request_id=f"before-{number}") for number in range(3)]

    assert [each["id"] for each in again] == [each["id"] for each in first]
    assert len({each["id"] for each in first + later}) == Notification.objects.count() == 8
    for answer in first:
        assert shop.get(answer["links"]["status"]).json()["id"] == answer["id"]


@pytest.mark.parametrize("harms", list(itertools.permutations([flush, rubbish, restart, other_types], 2)))
def test_one_harm_after_the_other(shop, own_redis, harms):
    answers = []
    for harm in harms:
        answers.append(submitted(shop, request_id="same"))
        harm(own_redis)
    answers.append(submitted(shop, request_id="same"))

    assert len({each["id"] for each in answers}) == Notification.objects.count() == 1


@pytest.mark.parametrize("harm", [kill, freeze])
def test_an_outage_is_waited_for_by_one_question_not_by_each_request(shop, own_redis, harm, monkeypatch):
    submitted(shop, request_id="before")
    asked = []
    plain = Pipeline.execute
    monkeypatch.setattr(Pipeline, "execute", lambda *a, **k: asked.append(1) or plain(*a, **k))
    monkeypatch.setattr("users.redis_cache.LEFT_ALONE", timedelta(minutes=5))  # longer than ten requests ever take
    harm(own_redis)

    for number in range(10):
        submitted(shop, request_id=f"during-{number}")

    assert len(asked) == 1


def test_nothing_is_refused_for_want_of_a_counter(shop, own_redis):
    assert post(shop, PUBLISHED)["RateLimit"].startswith('"submit";r=29999')
    own_redis.kill()

    assert post(shop, PUBLISHED)["RateLimit"].startswith('"submit";r=29999')  # this process begins to count


def test_an_opt_out_is_seen_by_the_next_request(shop, ann, own_redis, django_capture_on_commit_callbacks):
    assert submitted(shop, request_id="one")["status"] == "accepted"
    with django_capture_on_commit_callbacks(execute=True):
        Preference.objects.create(user=ann, channel="email", is_enabled=False)

    assert submitted(shop, request_id="two")["reason"] == "opt_out"
