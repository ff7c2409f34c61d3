"""When two requests are the same one."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from gateway.idempotency import RequestIdReused, earlier, fingerprint, name_of, remember, remembered, same_request
from gateway.request import AttachmentRequest, NotificationRequest
from tests.factories import NotificationFactory
from users import shared_cache
from users.shared_cache import look_up_all

MOMENT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


def request(**changes):
    asked = {"channel": "email", "user_id": "user-123", "template_code": "welcome_email", "request_id": "req-1"}
    return NotificationRequest(**asked | {"variables": {"name": "Ann"}} | changes)


#: Another value for every field that is compared.
CHANGES = {
    "channel": "push",
    "template_code": "other",
    "variables": {"name": "Bob"},
    "priority": 8,
    "template_version": 1,
    "locale": "de",
    "send_at": MOMENT,
    "expires_at": MOMENT,
    "metadata": {"order": "42"},
    "attachments": (AttachmentRequest(filename="a.pdf", content_type="application/pdf", content=b"%PDF"),),
}
#: Of `request()` under the key "blind"; and as it was before there was a key.
FINGERPRINT = "dfe504b59f75c7517859eecf43830a07ee83140d889da8460073e55f33357ae8"
FIRST_FINGERPRINT = "b387f94cb191339d0146644f7f014f8dca5de3a73e61379a7563c7639ae2bcaa"
#: The id is what they have in common; the person is compared as who they are.
NOT_COMPARED = {"request_id", "user_id"}


def test_every_field_is_compared():
    assert CHANGES.keys() | NOT_COMPARED == {each.name for each in fields(NotificationRequest)}


@pytest.mark.parametrize("name", CHANGES)
def test_a_request_that_differs_has_another_fingerprint(name):
    assert fingerprint(request(**{name: CHANGES[name]})) != fingerprint(request())


@pytest.mark.parametrize("name", sorted(NOT_COMPARED))
def test_the_id_and_the_persons_name_are_not_compared(name):
    assert fingerprint(request(**{name: "another"})) == fingerprint(request())


def test_the_order_of_names_makes_no_difference():
    one, other = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}

    assert fingerprint(request(variables=one)) == fingerprint(request(variables=other))


def test_the_order_of_a_list_does():
    assert fingerprint(request(variables={"a": [1, 2]})) != fingerprint(request(variables={"a": [2, 1]}))


@pytest.mark.parametrize("values", [(1, "1"), (None, ""), (True, 1), ([], {}), ("a", "A"), ("é", "e\u0301")])
def test_values_of_different_kinds_differ(values):
    one, other = values

    assert fingerprint(request(variables={"a": one})) != fingerprint(request(variables={"a": other}))


def test_the_same_moment_in_another_zone_is_the_same_moment():
    local = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=45)))

    assert fingerprint(request(send_at=MOMENT)) == fingerprint(request(send_at=local))
    assert fingerprint(request(send_at=MOMENT)) != fingerprint(request(send_at=MOMENT + timedelta(milliseconds=1)))


def test_a_moment_counts_where_it_stands():
    assert fingerprint(request(send_at=MOMENT)) != fingerprint(request(expires_at=MOMENT))


def test_a_fingerprint_stays_what_it_was(settings):
    """It is stored for months and held against requests that come after an update."""
    settings.BLIND_INDEX_KEY = "blind"
    assert fingerprint(request()) == FINGERPRINT


def test_nobody_without_the_key_can_try_out_what_was_in_a_request(settings):
    before = fingerprint(request())
    settings.BLIND_INDEX_KEY = "another"
    assert fingerprint(request()) != before


# --- whose request ----------------------------------------------------------------------------------------------------


@pytest.fixture
def found(db):
    return NotificationFactory(request_id="req-1", fingerprint=fingerprint(request()), user__external_id="user-123")


def test_the_same_person_and_words_are_the_same_request(found):
    assert same_request(found, request(), user_id=found.user_id) == found


def test_a_request_from_before_fingerprints_were_keyed_is_known(found):
    found.fingerprint = FIRST_FINGERPRINT
    assert same_request(found, request(), user_id=found.user_id) == found
    with pytest.raises(RequestIdReused):
        same_request(found, request(priority=8), user_id=found.user_id)


@pytest.mark.parametrize("changes", [{"priority": 8}, {"variables": {}}])
def test_other_words_are_another_request(found, changes):
    with pytest.raises(RequestIdReused) as caught:
        same_request(found, request(**changes), user_id=found.user_id)
    assert caught.value.notification_id == found.pk


def test_another_person_is_another_request(found):
    with pytest.raises(RequestIdReused):
        same_request(found, request(), user_id=uuid4())


def test_somebody_who_is_gone_is_known_by_what_they_were_called(found):
    own = str(found.user_id)
    for name in ("user-123", own, own.upper()):
        assert same_request(found, request(user_id=name), user_id=None) == found
    with pytest.raises(RequestIdReused):
        same_request(found, request(user_id="user-1234"), user_id=None)


def test_what_a_request_id_made_before_is_found_per_client_and_mode(found):
    assert earlier("shop", "live", "req-1") == found
    assert earlier("shop", "test", "req-1") is None
    assert earlier("other", "live", "req-1") is None
    assert earlier("shop", "live", "req-2") is None


def test_without_a_request_id_nothing_was_made_before(db):
    NotificationFactory(request_id=None)

    assert earlier("shop", "live", None) is None


# --- what the shared cache remembers ----------------------------------------------------------------------------------


@pytest.fixture
def kept(found, own_redis):
    remember(found)
    shared_cache.ask([("PING",)])  # what is to be kept goes with the next question
    return found


def looked_up(client, mode, request_id):
    return remembered(client, mode, request_id, slot=look_up_all([name_of(client, mode, request_id)])[0])


def test_a_request_id_leads_to_its_row(kept, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert looked_up("shop", "live", "req-1") == kept


def test_no_other_client_mode_or_id_finds_it(kept):
    others = [("shop", "test", "req-1"), ("other", "live", "req-1"), ("shop", "live", "req-2"), ("shop", "live", None)]
    assert [looked_up(*each) for each in others] == [None] * 4


def test_names_made_of_odd_clients_do_not_meet(own_redis):
    assert len({name_of("a", "live", "b/c"), name_of("a/b", "live", "c"), name_of('a","live"', "live", "b")}) == 3


def test_a_row_that_is_gone_was_never_there(kept):
    kept.delete()

    assert looked_up("shop", "live", "req-1") is None


def test_the_row_of_another_request_is_not_taken_for_it(kept, own_redis):
    """Somebody with our secret lies: the row itself says whose it is."""
    other = NotificationFactory(request_id="req-2")
    other.request_id = "req-1"
    remember(other)

    assert looked_up("shop", "live", "req-1") is None


def test_a_flushed_or_killed_redis_remembers_nothing(kept, own_redis):
    own_redis.raw.flushall()
    assert looked_up("shop", "live", "req-1") is None
    own_redis.kill()
    remember(kept)
    assert looked_up("shop", "live", "req-1") is None


def test_nothing_is_remembered_without_a_request_id(own_redis, db):
    remember(NotificationFactory(request_id=None))

    assert own_redis.raw.keys() == []
