"""What a process remembers for up to a second."""

from types import SimpleNamespace

import pytest
from django.db import transaction

from users import lately


def test_a_moment_lasts_until_the_next_second(monkeypatch):
    monkeypatch.setattr(lately, "time", SimpleNamespace(monotonic=lambda: 1000.1))
    first = lately.moment()
    monkeypatch.setattr(lately, "time", SimpleNamespace(monotonic=lambda: 1000.9))
    assert lately.moment() == first

    monkeypatch.setattr(lately, "time", SimpleNamespace(monotonic=lambda: 1001.0))
    assert lately.moment() != first


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_change_ends_it_at_once_and_again_after_the_commit(monkeypatch):
    monkeypatch.setattr(lately, "time", SimpleNamespace(monotonic=lambda: 1000.1))
    before = lately.moment()
    with transaction.atomic():
        lately.forget()
        inside = lately.moment()

    assert len({before, inside, lately.moment()}) == 3
