"""Switches and their ledger."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import UserFactory
from users.models import ChangedWishes, ConsentEvent, Preference
from users.preferences import (
    CategoryLocked,
    Origin,
    UnknownCategory,
    Wish,
    change_preferences,
    read_wishes,
)
from users.wish_models import LedgerIsAppendOnly

pytestmark = pytest.mark.django_db

SHOP = Origin(by="client:shop", source="api", address="192.0.2.1")


@pytest.fixture
def ann():
    return UserFactory()


def change(user, *, channels=None, categories=None, replaces=False, origin=SHOP, **options):
    wish = Wish(channels=channels or {}, categories=categories or {}, replaces=replaces)
    return change_preferences(user=user, wish=wish, origin=origin, **options)


def told(user):
    return list(
        ConsentEvent.objects.filter(user=user).order_by("id").values_list("channel", "category_code", "was", "became")
    )


def test_somebody_new_wants_everything_and_has_no_entries(ann):
    wishes = read_wishes(ann)

    assert wishes.own == {"channels": {"email": True, "push": True}, "categories": {}}
    assert wishes.changed_at is None
    assert all(wishes.effective(category, "email") for category in wishes.categories)


def test_a_change_is_kept_with_who_what_and_from_where(ann):
    change(ann, channels={"push": False}, categories={"marketing": {"email": False}})

    assert read_wishes(ann).own == {
        "channels": {"email": True, "push": False},
        "categories": {"marketing": {"email": False, "push": None}},
    }
    assert told(ann) == [("push", "", True, False), ("email", "marketing", None, False)]
    line = ConsentEvent.objects.filter(user=ann).first()
    assert (line.by, line.source, line.address) == ("client:shop", "api", "192.0.2.1")


def test_what_is_set_already_is_no_news(ann):
    change(ann, channels={"email": True}, categories={"updates": {"email": None}})
    change(ann, channels={"email": False})
    ChangedWishes.objects.all().delete()

    assert change(ann, channels={"email": False}) == []

    assert told(ann) == [("email", "", True, False)]
    assert not ChangedWishes.objects.exists()


def test_replacing_brings_back_the_default_of_what_is_not_named(ann):
    change(ann, channels={"email": False}, categories={"updates": {"push": False}, "marketing": {"push": True}})

    change(ann, categories={"marketing": {"push": True}}, replaces=True)

    assert read_wishes(ann).own == {
        "channels": {"email": True, "push": True},
        "categories": {"marketing": {"email": None, "push": True}},
    }
    assert told(ann)[-2:] == [("email", "", False, True), ("push", "updates", False, None)]


def test_a_channel_that_is_off_wins_over_a_category_that_is_on(ann):
    change(ann, channels={"email": False}, categories={"updates": {"email": True}})

    wishes = read_wishes(ann)
    effective = {category.code: wishes.effective(category, "email") for category in wishes.categories}

    assert effective == {"marketing": False, "security": True, "updates": False}  # security is mandatory


def test_a_mandatory_category_cannot_be_switched_off(ann):
    with pytest.raises(CategoryLocked, match="security"):
        change(ann, channels={"push": False}, categories={"security": {"email": False}})

    assert told(ann) == []
    assert read_wishes(ann).own["channels"]["push"]


def test_it_can_be_left_on(ann):
    change(ann, categories={"security": {"email": True, "push": None}})

    assert read_wishes(ann).own["categories"] == {"security": {"email": True, "push": None}}


def test_a_category_must_exist(ann):
    with pytest.raises(UnknownCategory, match="gossip"):
        change(ann, categories={"gossip": {"email": False}})


def test_whoever_expected_something_else_changes_nothing(ann):
    def refuse(wishes):
        assert wishes.of_channel("email")
        raise LookupError

    with pytest.raises(LookupError):
        change(ann, channels={"email": False}, check=refuse)

    assert read_wishes(ann).of_channel("email")


def test_turning_many_switches_takes_as_many_statements_as_turning_two(ann):
    def statements(**wish):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            change(ann, **wish)
        return len(captured)

    off = {"email": False, "push": False}

    few = statements(categories={"updates": {"email": False}})
    many = statements(channels=off, categories={"marketing": off, "updates": {"push": False}})

    assert many == few
    assert Preference.objects.filter(user=ann).count() == 6


def test_the_ledger_is_append_only(ann):
    (line,) = change(ann, channels={"email": False})

    line.became = True
    with pytest.raises(LedgerIsAppendOnly):
        line.save()
