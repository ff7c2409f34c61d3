"""The frame of the admin pages: badge, sidebar, first page."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateway.admin.listing import person_name, status_chip
from gateway.explanation import answer
from gateway.models import Notification
from gateway.provider_order import CAPTURE, provider_order
from notifications_site.captured import is_captured

#: Notifications on the first page.
LATEST = 10
#: A badge says 99+ from a hundred on.
MOST_ON_BADGE = 99

Item = dict[str, Any]


def environment_badge(request: HttpRequest) -> list[str]:
    """Says at the top of every page whether mail leaves the house."""
    match settings.ENVIRONMENT, is_captured():
        case "local", True:
            return ["Local · mail is captured", "info"]
        case "local", False:
            return ["Local · mail is sent", "danger"]
        case "staging", _:
            return ["Staging", "warning"]
        case _:
            return ["Production", "danger"]


def icon(request: HttpRequest) -> str:
    """The little picture in the browser's tab."""
    return static("notifications_site/favicon.svg")


def stylesheet(request: HttpRequest) -> str:
    """Our one style sheet."""
    return static("notifications_site/notify.css")


def script(request: HttpRequest) -> str:
    """Our one script."""
    return static("notifications_site/notify.js")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar; the theme hides what the person may not see, and empty groups."""
    groups = _groups(captured=_captured_messages(request), badge=_dead_letter_badge(request))
    return [{"title": title, "items": items} for title, items in groups]


@cache
def places() -> dict[str, tuple[str | Promise, str | Promise]]:
    """Address of a list → how the sidebar calls its group and itself: the path above a page says the same."""
    return {item["link"]: (title, item["title"]) for title, items in _groups() for item in items}


def _groups(*, captured: Sequence[Item] = (), badge: Item | None = None) -> list[tuple[str | Promise, list[Item]]]:
    return [
        (_("Overview"), [_item(_("Start"), "dashboard", reverse("admin:index"), is_active=_is_start)]),
        (
            _("Content"),
            [
                _page(_("Templates"), "draft", "templates_app", "template"),
                _page(_("Layouts"), "view_quilt", "templates_app", "layout"),
                *captured,
            ],
        ),
        (
            _("Activity"),
            [
                _page(_("Notifications"), "mail", "gateway", "notification"),
                _page(_("People"), "group", "users", "user"),
                _page(_("Suppressions"), "block", "users", "suppression"),
                _page(_("Dead letters"), "warning", "gateway", "deadletter") | (badge or {}),
            ],
        ),
        (
            _("Developers"),
            [
                _page(_("API keys"), "key", "users", "apikey"),
                _page(_("Callbacks"), "webhook", "gateway", "callbackendpoint", also="statuscallback"),
                _item(_("API docs"), "menu_book", reverse("docs")),
            ],
        ),
        (
            _("Operations"),
            [
                _page(_("Providers & breakers"), "electrical_services", "gateway", "providerstate"),
                _page(_("Live services"), "dns", "consumers", "serviceinstance"),
                _page(_("Alerts"), "notifications_active", "consumers", "alert"),
            ],
        ),
        (
            _("Administration"),
            [
                _page(_("Staff & roles"), "admin_panel_settings", "auth", "group"),
                _page(_("Failed sign-ins"), "lock", "axes", "accessattempt"),
                _page(_("Categories"), "label", "users", "category"),
                _page(_("Audit log"), "history", "users", "auditentry"),
            ],
        ),
    ]


def _dead_letter_badge(request: HttpRequest) -> Item:
    """How many wait for a decision, up to a bound; nothing where there are none. The index of dead letters serves."""
    if not request.user.has_perm("gateway.view_deadletter"):
        return {}
    waiting = Notification.objects.dead_letters().real().order_by("-updated_at")
    count = len(waiting.values_list("pk")[: MOST_ON_BADGE + 1])
    return {"badge": f"{MOST_ON_BADGE}+" if count > MOST_ON_BADGE else count} if count else {}


def _captured_messages(request: HttpRequest) -> list[Item]:
    """One item for both inboxes, as long as something is captured; it opens the one the person may see."""
    inboxes = [
        ("email", "channels_email", "capturedemail"),
        ("push", "channels_push", "capturedpush"),
    ]
    for channel, app, model in inboxes:
        if CAPTURE in provider_order(channel).names and request.user.has_perm(f"{app}.view_{model}"):
            item = _page(_("Captured messages"), "inbox", app, model)
            return [item | {"active": _is_under("channels_email/", "channels_push/")}]
    return []


def _page(title: str | Promise, icon: str, app: str, model: str, *, also: str = "") -> Item:
    """The list of a model, for those who may view it; `also` names a model whose pages belong to it."""

    def may_view(request: HttpRequest) -> bool:
        return request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")

    prefixes = [f"{app}/{model}/", *([f"{app}/{also}/"] if also else [])]
    item = _item(title, icon, reverse(f"admin:{app}_{model}_changelist"), is_active=_is_under(*prefixes))
    return item | {"permission": may_view}


def _item(
    title: str | Promise, icon: str, link: str, *, is_active: Callable[[HttpRequest], bool] | None = None
) -> Item:
    return {"title": title, "icon": icon, "link": link, "active": is_active or _is_under(link)}


def _is_start(request: HttpRequest) -> bool:
    return request.path == reverse("admin:index")


def _is_under(*prefixes: str) -> Callable[[HttpRequest], bool]:
    """Whether the page is below one of these, seen from /admin/."""

    def is_active(request: HttpRequest) -> bool:
        return request.path.startswith(tuple(reverse("admin:index") + prefix for prefix in prefixes))

    return is_active


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What to do first, and the last notifications; nothing is counted."""
    latest: list[Notification] = []
    if request.user.has_perm("gateway.view_notification"):
        rows = Notification.objects.select_related("template").prefetch_related("user").order_by("-pk")
        latest = list(rows[:LATEST])
    return context | {
        "title": _("Start"),
        "latest": [
            {
                "notification": each,
                "person": person_name(each),
                "chip": status_chip(each.status),
                "answer": answer(each),
            }
            for each in latest
        ],
        "may_view_notifications": request.user.has_perm("gateway.view_notification"),
        "may_make_keys": request.user.has_perm("users.add_apikey"),
        "inbox": next(iter(_captured_messages(request)), None),
    }
