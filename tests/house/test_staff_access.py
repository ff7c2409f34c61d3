"""Every page of the admin, tried by every role: who gets in is written down here, and nowhere else.

A new page without a row fails. The tables are those of the roles; they are not read from the code, which they are to
check. That nobody but staff gets in at all is in test_routes.py.
"""

import re
import uuid

import pytest
from django.db import connection
from django.test import Client

from tests.factories import ApiKeyFactory, NotificationFactory, UserFactory
from tests.house.test_access import ROLES, person, undone
from tests.house.test_routes import PUBLIC, routes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor == "postgresql", reason="who may does not depend on the database"),
]
ALL = " ".join(ROLES)
WORDS = "editor publisher developer owner"
WRITERS = "editor publisher owner"
ACTIVITY = "support publisher developer operator owner"

#: App and model → who sees its usual pages, and who adds by them. Who may change sees the same pages, with fields.
USUAL = {
    "users/apikey": ("developer owner", "developer owner"),
    "users/auditentry": ("owner", ""),
    "users/user": ("support owner", "owner"),
    "users/suppression": ("support operator owner", ""),
    "users/category": ("support editor publisher owner", "owner"),
    "auth/group": ("owner", ""),
    "axes/accessattempt": ("owner", ""),
    "templates_app/template": (WORDS, WRITERS),
    "templates_app/layout": (WORDS, WRITERS),
    "gateway/callbackendpoint": ("developer owner", ""),
    "gateway/statuscallback": ("developer owner", ""),
    "gateway/deadletter": ("operator owner", ""),
    "gateway/notification": (ACTIVITY, ""),
    "gateway/providerstate": ("operator owner", ""),
    "channels_email/capturedemail": (WRITERS, ""),
    "channels_push/capturedpush": (WRITERS, ""),
    "consumers/serviceinstance": ("operator owner", ""),
    "consumers/alert": ("operator owner", ""),
}
SEEN = ("", "<path:object_id>/history/", "<path:object_id>/change/")
#: Leads to the page of the same object, which asks.
LEADS_ON = "<path:object_id>/"
T, B = "templates_app/template/<uuid:template_id>/", "templates_app/template/<path:object_id>/"
N, P = "gateway/notification/<path:object_id>/", "gateway/providerstate/<path:object_id>/"
#: Pages of our own, and Django's that belong to no model → who gets in.
OWN = {
    "": ALL,
    "search/": ALL,
    "password_change/": ALL,
    "password_change/done/": ALL,
    "jsi18n/": ALL,
    "autocomplete/": "",
    "r/<path:content_type_id>/<path:object_id>/": ALL,
    "users/apikey/<path:object_id>/rotate/": "developer owner",
    "users/apikey/<path:object_id>/revoke/": "developer owner",
    "users/user/<id>/password/": "owner",
    "users/user/<path:object_id>/show_address/": "publisher owner",
    "users/user/<path:object_id>/block_address/": "owner",
    "users/user/<path:object_id>/export/": "owner",
    "users/user/<path:object_id>/erase/": "owner",
    "users/user/<path:object_id>/preferences/": "support owner",
    "users/user/<path:object_id>/quiet_hours/": "support owner",
    "users/user/<path:object_id>/devices/": "support owner",
    "users/user/<path:object_id>/devices/<uuid:device_id>/deactivate/": "owner",
    "users/user/<uuid:person_id>/timeline/": "support owner",
    "users/user/files/": "owner",
    "users/suppression/files/": "support operator owner",
    "users/suppression/<path:object_id>/lift/": "operator owner",
    "axes/accessattempt/<path:object_id>/unlock/": "owner",
    "templates_app/template/new_from_example/": WRITERS,
    "templates_app/template/examples/": WRITERS,
    "templates_app/template/files/": WORDS,
    "templates_app/template/files/take/": WORDS,
    "templates_app/template/examples/<slug:example>/preview/": WRITERS,
    "templates_app/template/examples/<slug:example>/add/": WRITERS,
    f"{T}editor/": WORDS,
    f"{T}editor/save/": WRITERS,
    f"{T}editor/look/": WORDS,
    f"{T}editor/text/": WORDS,
    f"{T}editor/samples/": WORDS,
    f"{T}publish/": "publisher owner",
    f"{T}call_off/": "publisher owner",
    f"{T}revert/<int:number>/": "publisher owner",
    f"{T}versions/": WORDS,
    f"{T}compare/": WORDS,
    f"{T}preview/<int:content_id>/": WORDS,
    f"{T}use/": WORDS,
    f"{T}activity/": WORDS,
    f"{T}test/": WRITERS,
    f"{T}translate/": WORDS,
    f"{T}translate/take/": WORDS,
    f"{T}translate/bring/": WRITERS,
    f"{B}open_editor/": WORDS,
    f"{B}use_it/": WORDS,
    f"{B}duplicate/": WRITERS,
    f"{B}archive/": "publisher owner",
    f"{B}restore/": "publisher owner",
    f"{B}publish/": "publisher owner",
    "templates_app/layout/preview/": WRITERS,
    "templates_app/layout/<uuid:layout_id>/preview/": WORDS,
    "templates_app/layout/<path:object_id>/bring_back/": WRITERS,
    "gateway/deadletter/group/replay/": "operator owner",
    "gateway/deadletter/group/discard/": "operator owner",
    f"{N}live/": ACTIVITY,
    f"{N}cancel/": "support operator owner",
    f"{N}replay/": "operator owner",
    f"{N}settle/": "operator owner",
    "gateway/providerstate/live/": "operator owner",
    "gateway/providerstate/order/<slug:channel>/": "operator owner",
    "gateway/providerstate/<slug:channel>/<slug:provider>/settings/": "operator owner",
    "gateway/providerstate/<slug:channel>/<slug:provider>/settings/<slug:name>/remove/": "operator owner",
    "gateway/providerstate/<slug:channel>/<slug:provider>/try/": "operator owner",
    f"{P}force_open/": "operator owner",
    f"{P}force_closed/": "operator owner",
    f"{P}back_to_automatic/": "operator owner",
    "channels_email/capturedemail/<uuid:mail_id>/preview/": WRITERS,
    "channels_email/capturedemail/<uuid:mail_id>/preview/files/<int:number>/": WRITERS,
    "channels_email/capturedemail/delete_all/": "owner",
    "channels_push/capturedpush/delete_all/": "owner",
}


def usual_pages():
    """route → who gets in."""
    for model, (seen_by, added_by) in USUAL.items():
        yield from ((f"{model}/{page}", seen_by) for page in SEEN)
        yield f"{model}/add/", added_by
        yield f"{model}/<path:object_id>/delete/", ""  # nobody deletes by hand: there are better ways, with a reason
        yield f"{model}/{LEADS_ON}", ALL


def pages():
    """Every page of staff as it is written in the URL files, without `admin/`."""
    asked = {route for route in routes() if route.startswith("admin/")} - PUBLIC.keys()
    return {route.removeprefix("admin/") for route in asked}


def test_every_page_of_staff_has_a_row():
    assert pages() == {*OWN, *dict(usual_pages())}


@pytest.fixture(scope="module")
def staff(django_db_setup, django_db_blocker):
    """A browser of each role, and something to look at: (browsers, app and model → key)."""
    with django_db_blocker.unblock(), undone():
        browsers = {}
        for role in ROLES:
            browsers[role] = Client()
            browsers[role].force_login(person(role))
        sent, dead = NotificationFactory(), NotificationFactory(status="failed", reason="rejected")
        yield (
            browsers,
            {
                "users/user": UserFactory().pk,
                "users/category": "updates",
                "users/apikey": ApiKeyFactory().pk,
                "auth/group": 1,
                "templates_app/template": sent.template.pk,
                "gateway/notification": sent.pk,
                "gateway/deadletter": dead.pk,
            },
        )


def statuses(staff, route, methods):
    """role → what it is answered; what is done by it is undone."""
    browsers, keys = staff
    model = "/".join(route.split("/")[:2])
    key = str(keys.get(model, uuid.UUID(int=7)))
    path = re.sub(r"<(uuid:template_id|path:object_id|id)>", key, "/admin/" + route)
    path = re.sub(r"<int:\w+>", "1", re.sub(r"<uuid:\w+>", str(uuid.UUID(int=7)), path))
    path = re.sub(r"<\w+:\w+>", "1", path)
    found = {}
    for role, browser in browsers.items():
        with undone():
            found[role] = {browser.generic(method, path).status_code for method in methods}
    return found


@pytest.mark.parametrize(("route", "who"), list(usual_pages()))
def test_usual_pages_open_for_the_right_roles(staff, route, who):
    for role, [status] in statuses(staff, route, ["GET"]).items():
        if role in who.split():
            assert status in (200, 302), role
        else:
            assert status == 403 or (status == 302 and "<path:object_id>" in route), role  # led away, shown nothing


@pytest.mark.parametrize(("route", "who"), OWN.items())
def test_pages_of_our_own_let_the_right_roles_in(staff, route, who):
    for role, found in statuses(staff, route, ["GET", "POST"]).items():
        assert bool(found - {403, 405}) is (role in who.split()), (role, found)
