"""A bare action of the admin's theme is open to every staff account, whatever its permissions. None may be bare."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.core.checks import run_checks
from django.test import RequestFactory

from notifications_site import urls  # noqa: F401  loads the pages
from tests.admin_scene import staff

PLACES = ("actions_list", "actions_row", "actions_detail", "actions_submit_line")


def names(given):
    """The names of actions; a menu of some is a dict with `items`."""
    for each in given or ():
        yield from names(each["items"]) if isinstance(each, dict) else [each]


def actions():
    """(page, action) for everything that can be done in the admin."""
    for model_admin in admin.site._registry.values():
        for place in PLACES:
            for name in names(getattr(model_admin, place)):
                yield model_admin, getattr(model_admin, name)
        for function, _, _ in model_admin._get_base_actions():
            yield model_admin, function


ACTIONS = list(actions())


@pytest.mark.parametrize(("model_admin", "function"), ACTIONS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_every_action_names_its_permission(model_admin, function):
    permissions = getattr(function, "allowed_permissions", None)
    assert permissions, "It is open to every staff account."
    for permission in permissions:
        assert "." not in permission, "Dotted permissions query the database in system checks; the first migrate dies."
        assert callable(getattr(model_admin, f"has_{permission}_permission"))


@pytest.mark.django_db
@pytest.mark.parametrize(("model_admin", "function"), ACTIONS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_no_action_is_allowed_to_staff_without_permissions(model_admin, function):
    request = RequestFactory().post("/admin/")
    for person in (staff(), AnonymousUser()):
        request.user = person
        assert not all(getattr(model_admin, f"has_{name}_permission")(request) for name in function.allowed_permissions)


def test_django_has_nothing_to_say_against_the_pages():
    assert run_checks(tags=["admin"]) == []


def test_there_are_actions_to_look_at():
    assert {function.__name__ for _, function in ACTIONS} >= {
        "cancel",
        "replay",
        "settle",
        "publish",
        "revoke",
        "delete_all",
    }


def test_the_lists_of_messages_never_ask_for_a_total():
    ours = [each for each in admin.site._registry.values() if each.__module__.startswith(("gateway", "channels_"))]
    assert ours
    assert not [each for each in ours if each.show_full_result_count]
