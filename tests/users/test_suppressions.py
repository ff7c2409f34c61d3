"""Addresses that must not be used: blocked once, seen by every question about a person, lifted with a reason."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import UserFactory
from users import answers
from users.models import AuditEntry, Suppression, User
from users.recipients import _from_kept, _to_keep, load_recipients
from users.suppressions import (
    AlreadyBlocked,
    AlreadyLifted,
    NotBlockable,
    block_address_of,
    lift_suppression,
    suppress_address,
)

pytestmark = pytest.mark.django_db
BOUNCE, COMPLAINT, MANUAL, UNSUBSCRIBED = (
    Suppression.Reason.HARD_BOUNCE,
    Suppression.Reason.COMPLAINT,
    Suppression.Reason.MANUAL,
    Suppression.Reason.UNSUBSCRIBED,
)


@pytest.fixture
def ann():
    return UserFactory(email="Ann@example.com")


def blocked(person, channel="email"):
    return load_recipients({person.pk}, channel=channel)[person.pk].suppressed


def test_an_address_is_blocked_however_it_is_written(ann):
    assert suppress_address(address="ann@EXAMPLE.com", reason=BOUNCE, evidence="550 5.1.1 no such user")

    assert (blocked(ann).reason, blocked(ann).scope) == ("hard_bounce", "everything")
    row = Suppression.objects.get()
    assert row.masked_address == "a••@EXAMPLE.com"
    assert "ann@" not in row.address_index
    assert blocked(ann, channel="push") is None
    assert blocked(UserFactory()) is None


def test_blocking_twice_is_one_row_that_says_the_first_reason(ann):
    assert suppress_address(address=ann.email, reason=BOUNCE)
    assert not suppress_address(address=ann.email, reason=COMPLAINT)

    assert Suppression.objects.get().reason == BOUNCE


def test_a_bounce_takes_the_place_of_a_block_of_advertising(ann):
    suppress_address(address=ann.email, reason=UNSUBSCRIBED)
    assert blocked(ann).scope == "marketing"

    assert suppress_address(address=ann.email, reason=BOUNCE)
    assert not suppress_address(address=ann.email, reason=UNSUBSCRIBED)

    assert blocked(ann).scope == "everything"


def test_lifting_needs_to_be_done_once_and_is_written_down(ann):
    suppress_address(address=ann.email, reason=COMPLAINT)
    row = Suppression.objects.get()

    lift_suppression(suppression=row, who="Bea", why="She asked for it")

    assert blocked(ann) is None
    line = AuditEntry.objects.get()
    assert (line.what, line.who, line.why) == ("suppression.lifted", "Bea", "She asked for it")
    with pytest.raises(AlreadyLifted):
        lift_suppression(suppression=row, who="Bea", why="Again")
    assert suppress_address(address=ann.email, reason=BOUNCE)
    assert Suppression.objects.count() == 2


def test_plain_addresses_of_the_simulator_are_never_blocked():
    assert not suppress_address(address="bounce@simulator.test", reason=BOUNCE)
    assert suppress_address(address="bounce+1@simulator.test", reason=BOUNCE)
    assert not suppress_address(address="", reason=BOUNCE)


def test_the_api_says_so_of_a_person(ann):
    def shown():
        return answers.person_answer(answers.shown_people(User.objects.filter(pk=ann.pk)).get())["email_suppressed"]

    assert shown() is None
    suppress_address(address=ann.email, reason=MANUAL)
    assert shown() == {"reason": "manual", "since": Suppression.objects.get().since}
    Suppression.objects.all().delete()
    suppress_address(address=ann.email, reason=UNSUBSCRIBED)
    assert shown() is None


def test_it_costs_no_question_more(ann):
    suppress_address(address=ann.email, reason=BOUNCE)

    with CaptureQueriesContext(connection) as captured:
        recipient = load_recipients({ann.pk}, channel="email")[ann.pk]

    assert len(captured) == 1
    kept = _to_keep(recipient) | {"id": str(recipient.id)}
    assert _from_kept(kept) == recipient


def test_by_hand_an_address_is_blocked_once_with_whoever_did_it(ann):
    suppress_address(address=ann.email, reason=UNSUBSCRIBED)

    row = block_address_of(person=ann, who="Sam", why="by phone")

    assert (row.reason, row.scope, row.evidence) == ("manual", "everything", "by phone")
    line = AuditEntry.objects.get(what="suppression.added")
    assert (line.who, line.why, line.about_id) == ("Sam", "by phone", str(row.pk))
    with pytest.raises(AlreadyBlocked):
        block_address_of(person=ann, who="Sam", why="again")


@pytest.mark.parametrize("address", [None, "delivered@simulator.test"])
def test_no_address_and_those_of_the_simulator_are_not_blocked_by_hand(address):
    with pytest.raises(NotBlockable):
        block_address_of(person=UserFactory(email=address, external_id="x"), who="Sam", why="x")
    assert not AuditEntry.objects.exists()
