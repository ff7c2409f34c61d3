"""What a person may do, by role. A role is a group of the admin; the API names it in small letters."""

from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from users.api_keys import SCOPES, granted
from users.audit import note
from users.models import User


class Role(StrEnum):
    """The six roles of staff. Who has none is a plain person."""

    SUPPORT = "support"
    EDITOR = "editor"
    PUBLISHER = "publisher"
    DEVELOPER = "developer"
    OPERATOR = "operator"
    OWNER = "owner"

    @property
    def group(self) -> str:
        """The name of its group."""
        return self.value.capitalize()


IN_WORDS: dict[Role, Promise] = {
    Role.SUPPORT: _("See activity, cancel. Sees why, not what: no variables, no content"),
    Role.EDITOR: _("Write templates, look at captured messages"),
    Role.PUBLISHER: _("What an editor may, publish, see content and whole addresses"),
    Role.DEVELOPER: _("API keys and callbacks; sees notifications and templates"),
    Role.OPERATOR: _("Providers, services, alerts, dead letters"),
    Role.OWNER: _("Everything"),
}
#: What each may do by the API, besides what these scopes include (section 2.2 of the API document).
SCOPES_OF_ROLES: dict[Role, frozenset[str]] = {
    Role.SUPPORT: frozenset({"users:read", "notifications:read", "notifications:manage"}),
    Role.EDITOR: frozenset({"templates:write"}),
    Role.PUBLISHER: frozenset({"templates:publish", "notifications:content"}),
    Role.DEVELOPER: frozenset({"notifications:write", "callbacks:write", "templates:read"}),
    Role.OPERATOR: frozenset({"notifications:manage", "notifications:read", "services:read", "metrics:read"}),
    Role.OWNER: frozenset(SCOPES),
}
#: What each may do in the admin, as patterns of permissions; one that begins with ! takes away again. They are text:
#: the apps they speak of stand further up the house.
_SEE_ACTIVITY = ("gateway.view_notification", "gateway.view_deliveryattempt", "gateway.view_providerevent")
_EDIT = (
    *("templates_app.view_*", "templates_app.add_*", "templates_app.change_*"),
    *("channels_email.view_capturedemail", "channels_push.view_capturedpush", "users.view_category"),
)
PERMISSIONS_OF_ROLES: dict[Role, tuple[str, ...]] = {
    Role.SUPPORT: (
        *_SEE_ACTIVITY,
        *("gateway.cancel_notification", "gateway.resend_notification"),
        *("users.view_*", "!users.view_pii", "!users.view_apikey", "!users.view_auditentry", "!users.view_signin"),
    ),
    Role.EDITOR: _EDIT,
    Role.PUBLISHER: (
        *_EDIT,
        *("templates_app.*", "gateway.view_notification", "gateway.view_notification_content", "users.view_pii"),
    ),
    Role.DEVELOPER: (
        *("users.view_apikey", "users.add_apikey", "users.change_apikey"),
        *("gateway.*_callbackendpoint", "gateway.*_statuscallback", "gateway.view_requestlogentry"),
        *("gateway.view_notification", "templates_app.view_*"),
    ),
    Role.OPERATOR: (
        *_SEE_ACTIVITY,
        *("gateway.view_deadletter", "gateway.replay_notification", "gateway.discard_notification"),
        *("gateway.settle_notification", "gateway.cancel_notification", "gateway.resend_statuscallback"),
        *("gateway.view_providerstate", "gateway.force_breaker", "gateway.set_up_providers"),
        "consumers.*",
        "users.*_suppression",
    ),
    Role.OWNER: ("*",),
}
_BY_GROUP = {role.group: role for role in Role}


class LastOwner(Exception):
    """Nobody would be left who can give roles."""


def roles_of(person: User) -> list[Role]:
    """In the order of the enumeration; groups made by hand are none. One query, none when `groups` were fetched."""
    found = {_BY_GROUP[group.name] for group in person.groups.all() if group.name in _BY_GROUP}
    if person.is_superuser:
        found.add(Role.OWNER)
    return [role for role in Role if role in found]


def scopes_of(roles: Iterable[Role]) -> frozenset[str]:
    """All scopes of these roles, with what they include."""
    return granted(scope for role in roles for scope in SCOPES_OF_ROLES[role])


@transaction.atomic
def set_roles(*, person: User, roles: Iterable[Role], by: User | str, address: str = "") -> bool:
    """Give a person exactly these roles; who has one may sign in to the admin. False when nothing changed.

    Raises `LastOwner` rather than leave an installation without one.
    """
    wanted, before = set(roles), set(roles_of(person))
    if is_last_owner(person, wanted):
        raise LastOwner
    others = [group for group in person.groups.all() if group.name not in _BY_GROUP]
    person.groups.set([*others, *(Group.objects.get_or_create(name=role.group)[0] for role in wanted)])
    person.is_superuser = person.is_superuser and Role.OWNER in wanted
    person.is_staff = bool(wanted)
    person.save(update_fields=["is_superuser", "is_staff"])
    if wanted != before:
        told = ({"roles": sorted(before)}, {"roles": sorted(wanted)})
        note(who=by, what="person.roles_changed", about=person, before=told[0], after=told[1], address=address)
    return wanted != before


def is_last_owner(person: User, wanted: Iterable[Role]) -> bool:
    """Whether nobody could give roles any more if this person had these."""
    if Role.OWNER in set(wanted) or Role.OWNER not in roles_of(person):
        return False
    owner = Q(is_superuser=True) | Q(groups__name=Role.OWNER.group)
    return not User.objects.filter(owner, is_active=True).exclude(pk=person.pk).exists()


def allowed(role: Role, permissions: Iterable[str]) -> set[str]:
    """Which of these permissions, each as `app.codename`, a role has."""
    patterns = PERMISSIONS_OF_ROLES[role]
    given = [pattern for pattern in patterns if not pattern.startswith("!")]
    taken = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return {
        each
        for each in permissions
        if any(fnmatchcase(each, pattern) for pattern in given)
        and not any(fnmatchcase(each, pattern) for pattern in taken)
    }


@transaction.atomic
def sync_staff_roles() -> dict[Role, int]:
    """Make the groups as this file says; changes made to them by hand are undone. How many changed, by role."""
    rows = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    known = {f"{app}.{codename}": pk for app, codename, pk in rows}
    changed = {}
    for role in Role:
        group, _made = Group.objects.get_or_create(name=role.group)
        wanted = {known[name] for name in allowed(role, known)}
        present = set(group.permissions.values_list("pk", flat=True))
        if wanted != present:
            group.permissions.set(wanted)
        changed[role] = len(wanted ^ present)
    return changed
