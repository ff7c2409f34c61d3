"""Every finding of `manage.py check` has a number of its own, by which people look it up and silence it."""

import inspect
import re
from collections import Counter

from django.core.checks.registry import registry

from notifications_site.checks import TAG

CHECKS = [check for check in registry.registered_checks if TAG in check.tags]


def test_there_are_checks_to_look_at():
    assert len(CHECKS) > 15


def test_no_number_means_two_things():
    numbers = Counter(check.__doc__ for check in CHECKS)
    assert [number for number, count in numbers.items() if count > 1] == []


def test_a_check_finds_under_the_number_it_is_known_by():
    for check in CHECKS:
        # A check may leave the finding to a function beside it.
        source = inspect.getsource(inspect.getmodule(check)) if "id=" not in inspect.getsource(check) else ""
        found = re.findall(r'id="([^"]+)"', source or inspect.getsource(check))
        assert check.__doc__ in found
