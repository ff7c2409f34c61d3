"""Many rows in one statement: every value arrives as it was, and a known request id stays out."""

from datetime import UTC, datetime

import pytest
from uuid_utils.compat import uuid7

from gateway.many_rows import insert_all, insert_new, update_each
from gateway.models import DeliveryAttempt, Notification, NotificationEvent
from gateway.statuses import Status
from tests.factories import AttemptFactory, NotificationFactory, PublishedVersionFactory, UserFactory

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
        insert_all([])


def test_the_database_fills_in_what_was_left_to_it(db):
    notification = NotificationFactory()
    data = {"t": "12:00", "text": AWKWARD["text"]}

    insert_all([NotificationEvent(notification=notification, type=f"step {n}", data=data) for n in range(3)])

    events = list(NotificationEvent.objects.all())
    assert [event.type for event in events] == ["step 0", "step 1", "step 2"]
    assert all(event.at is not None and event.data == data for event in events)


def test_rows_with_keys_of_their_own_keep_them(db):
    notification, token = NotificationFactory(), uuid7()
    rows = [
        DeliveryAttempt(notification=notification, number=1, provider="smtp", claim_token=token, device_id=uuid7())
        for _ in range(2)
    ]

    insert_all(rows)

    found = DeliveryAttempt.objects.in_bulk([row.pk for row in rows])
    assert {(each.device_id, each.claim_token) for each in found.values()} == {(row.device_id, token) for row in rows}
    assert all(each.started_at and each.outcome is None for each in found.values())


ENDED = {"and_set": "provider = 'b'", "only_if": "{table}.outcome IS NULL"}


def test_each_row_gets_its_own_values_where_the_condition_holds(db):
    first, second, settled = AttemptFactory(), AttemptFactory(), AttemptFactory(outcome="accepted")
    device = uuid7()

    update_each(
        DeliveryAttempt,
        [
            {"id": first.pk, "outcome": "transient", "detail": AWKWARD["text"], "device_id": None, "retry_after": 90},
            {"id": second.pk, "outcome": "accepted", "detail": "", "device_id": device, "retry_after": None},
            {"id": settled.pk, "outcome": "transient", "detail": "late", "device_id": None, "retry_after": 1},
        ],
        **ENDED,
    )

    rows = DeliveryAttempt.objects.values_list("outcome", "detail", "device_id", "retry_after", "provider")
    assert rows.get(pk=first.pk) == ("transient", AWKWARD["text"], None, 90, "b")
    assert rows.get(pk=second.pk) == ("accepted", "", device, None, "b")
    assert rows.get(pk=settled.pk) == ("accepted", "", None, None, "capture")


def test_with_nothing_to_write_nobody_is_asked(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        update_each(DeliveryAttempt, [], **ENDED)
