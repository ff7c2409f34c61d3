"""What a broker message holds, and what is read out of one."""

import uuid
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.brokers.rabbitmq.hint_format import LONGEST, VERSION, dead_letter_body, hint_body, read_hint
from gateway.untold import GivenUp

ID = uuid.UUID("0190a0b0-0000-7000-8000-00000000abcd")
WRITTEN = str(ID)
DEAD = GivenUp(ID, "poison", "email", "story-1", datetime(2026, 11, 1, tzinfo=UTC))


def body(**fields) -> bytes:
    return orjson.dumps({"v": VERSION, "id": WRITTEN} | fields)


@given(st.uuids())
def test_what_we_write_we_read(notification_id):
    assert read_hint(hint_body(notification_id)) == notification_id


def test_a_hint_holds_version_and_id_and_nothing_else():
    assert orjson.loads(hint_body(ID)) == {"v": 1, "id": WRITTEN}


def test_a_dead_letter_holds_the_reason_as_well():
    assert orjson.loads(dead_letter_body(DEAD)) == {
        "v": 1,
        "id": WRITTEN,
        "reason": "poison",
        "channel": "email",
        "correlation_id": "story-1",
    }


def test_a_dead_letter_that_is_put_back_by_hand_is_a_hint():
    assert read_hint(dead_letter_body(DEAD)) == ID


def test_fields_of_a_newer_release_are_ignored():
    assert read_hint(body(lane="fast", more={"deep": [1, 2]})) == ID


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\x00",
        b"\xff\xfe\xfd",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"NaN",
        WRITTEN.encode(),
        hint_body(ID)[:-1],
        hint_body(ID) + b"x",
        b"[" * 4000,
        body(v=None),
        body(v=True),
        body(v="1"),
        body(v=1.0),
        body(v=0),
        body(v=2),
        body(id=None),
        body(id=7),
        body(id=[WRITTEN]),
        body(id=""),
        body(id="x" * 36),
        body(id=WRITTEN.replace("-", "")),
        body(id=f"{{{WRITTEN}}}"),
        body(id=f"urn:uuid:{WRITTEN}"),
        body(id=f"{WRITTEN}\x00"),
        body(filler="x" * LONGEST),
    ],
)
def test_anything_else_is_no_hint(rubbish):
    assert read_hint(rubbish) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(bytes_of_a_stranger):
    found = read_hint(bytes_of_a_stranger)
    assert found is None or isinstance(found, uuid.UUID)
