"""What a person may do, by role. A role is a group of the admin; the API names it in small letters."""

from collections.abc import Iterable
from enum import StrEnum

from users.api_keys import SCOPES, granted
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


#: What each may do by the API, besides what these scopes include (section 2.2 of the API document).
SCOPES_OF_ROLES: dict[Role, frozenset[str]] = {
    Role.SUPPORT: frozenset({"users:read", "notifications:read", "notifications:manage"}),
    Role.EDITOR: frozenset({"templates:write"}),
    Role.PUBLISHER: frozenset({"templates:publish", "notifications:content"}),
    Role.DEVELOPER: frozenset({"notifications:write", "callbacks:write", "templates:read"}),
    Role.OPERATOR: frozenset({"notifications:manage", "notifications:read", "services:read", "metrics:read"}),
    Role.OWNER: frozenset(SCOPES),
}
_BY_GROUP = {role.group: role for role in Role}


def roles_of(person: User) -> list[Role]:
    """In the order of the enumeration; groups made by hand are none. One query, none when `groups` were fetched."""
    found = {_BY_GROUP[group.name] for group in person.groups.all() if group.name in _BY_GROUP}
    if person.is_superuser:
        found.add(Role.OWNER)
    return [role for role in Role if role in found]


def scopes_of(roles: Iterable[Role]) -> frozenset[str]:
    """All scopes of these roles, with what they include."""
    return granted(scope for role in roles for scope in SCOPES_OF_ROLES[role])
