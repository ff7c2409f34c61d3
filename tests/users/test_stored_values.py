import pytest

from tests.factories import UserFactory
from users import stored_values
from users.encryption import seal
from users.models import User
from users.stored_values import opened_once, rewrite_rows, sealed_once


def test_what_is_sealed_already_stays_as_it_is():
    once = sealed_once("ann@example.com", "p")

    assert sealed_once(once, "p") == once
    assert opened_once(once, "p") == b"ann@example.com"
    assert opened_once("ann@example.com", "p") == b"ann@example.com"


@pytest.mark.parametrize(("empty", "sealed", "opened"), [(None, None, None), ("", "", b""), (b"", "", b"")])
def test_what_is_empty_stays_empty(empty, sealed, opened):
    assert sealed_once(empty, "p") == sealed
    assert opened_once(sealed, "p") == opened


def test_an_address_that_only_begins_like_ours_is_sealed():
    assert opened_once(sealed_once("v2.ann@example.com", "p"), "p") == b"v2.ann@example.com"
    assert sealed_once(seal("x", purpose="other"), "p").count("v2.") == 1


@pytest.mark.django_db
def test_every_row_is_rewritten_whatever_the_size_of_a_batch(monkeypatch):
    monkeypatch.setattr(stored_values, "BATCH", 2)
    UserFactory.create_batch(5)

    assert rewrite_rows(User, lambda person: {"name": person.name.upper()}) == 5
    assert set(User.objects.values_list("name", flat=True)) == {"ANN"}
