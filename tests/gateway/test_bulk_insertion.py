"""Many rows in one statement: every value arrives as it was, and a known request id stays out."""

from datetime import UTC, datetime

import pytest
from uuid_utils.compat import uuid7

from gateway.bulk_insertion import insert_new
from gateway.models import Notification
from gateway.statuses import Status
from tests.factories import PublishedVersionFactory, UserFactory

MOMENT = datetime(2026, 11, 22, 10, 15, 4, 120_345, tzinfo=UTC)
#: What JSON, SQL or the driver might mistake for something else.
AWKWARD = {
    "text": '100 % "O\'Neill" \\ {} %s äß漢🙂',
    "number": 0.1,
    "whole": 2**63 - 1,
    "none": None,
    "list": [1, [True]],
}


@pytest.fixture
def new_row(db):
    user, version = UserFactory(), PublishedVersionFactory()

    def make(**changes):
        values = {
            "id": uuid7(),
            "client": "shop",
            "fingerprint": "0" * 64,
            "channel": "email",
            "user": user,
            "user_public_id": user.public_id,
            "template": version.template,
            "template_version": version,
            "locale": "en",
            "category_code": "updates",
            "available_at": MOMENT,
            "expires_at": MOMENT,
            "publish_count": 0,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        }
        return Notification(**values | changes)

    return make


def stored(row):
    return Notification.objects.filter(pk=row.pk).values().get()


def test_every_value_arrives_as_it_was(new_row):
    row = new_row(
        request_id="req-1 % '\"",
        variables=AWKWARD,
        metadata={"ключ": "значение"},
        send_at=MOMENT,
        is_simulated=True,
        priority=8,
        status=Status.SUPPRESSED,
        reason="opt_out",
        first_answer={"warnings": []},
    )
    wanted = {field.attname: getattr(row, field.attname) for field in Notification._meta.concrete_fields}

    assert insert_new([row]) == {row.pk}
    assert stored(row) == wanted


def test_a_known_request_id_stays_out_and_its_neighbours_go_in(new_row):
    first = new_row(request_id="a")
    insert_new([first])
    again, other = new_row(request_id="a", priority=1), new_row(request_id="b")

    assert insert_new([again, other]) == {other.pk}
    assert stored(first)["priority"] == 5
    assert Notification.objects.count() == 2


def test_equal_ids_in_one_go_are_one_row(new_row):
    first, second = new_row(request_id="a"), new_row(request_id="a")

    assert insert_new([first, second]) == {first.pk}


def test_another_client_may_use_the_same_request_id(new_row):
    rows = [new_row(request_id="a"), new_row(request_id="a", client="other"), new_row(request_id="a", mode="test")]

    assert insert_new(rows) == {row.pk for row in rows}


def test_nothing_to_insert_asks_nobody(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert insert_new([]) == set()
