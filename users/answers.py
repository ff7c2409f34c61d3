"""People and tokens as the API shows them."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from users.models import Category, Suppression, User
from users.sign_in import TokenPair
from users.staff_roles import roles_of
from users.suppressions import suppression_of_person


def shown_people(people: QuerySet[User]) -> QuerySet[User]:
    """The rows with all that `person_answer` needs: three queries for any number of them."""
    devices = Count("devices", filter=Q(devices__is_active=True), distinct=True)
    return people.annotate(device_count=devices, blocked=suppression_of_person()).prefetch_related("groups")


def _email_suppressed(blocked: dict[str, str] | None) -> dict[str, Any] | None:
    """A block of advertising alone is a wish of the person, no trouble with the address."""
    if blocked is None or blocked["scope"] != Suppression.Scope.EVERYTHING:
        return None
    since = datetime.fromisoformat(blocked["since"].replace(" ", "T"))
    return {"reason": blocked["reason"], "since": since if since.tzinfo else since.replace(tzinfo=UTC)}


def person_answer(person: User) -> dict[str, Any]:
    """One person; `person` comes from `shown_people`."""
    own = f"/api/v1/users/{person.public_id}/"
    return {
        "id": person.pk,
        "external_id": person.external_id,
        "name": person.name,
        "email": person.email,
        "email_suppressed": _email_suppressed(person.blocked),  # type: ignore[attr-defined]  # annotated
        "locale": person.locale,
        "timezone": person.timezone,
        "is_active": person.is_active,
        "roles": [role.value for role in roles_of(person)],
        "device_count": person.device_count,  # type: ignore[attr-defined]  # annotated
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "links": {
            "self": own,
            "preferences": f"{own}preferences/",
            "quiet_hours": f"{own}quiet-hours/",
            "devices": f"{own}devices/",
        },
    }


def tokens_answer(pair: TokenPair) -> dict[str, Any]:
    """Fresh tokens."""
    return {
        "access": pair.access,
        "refresh": pair.refresh,
        "token_type": "Bearer",
        "expires_in": round(pair.lives.total_seconds()),
    }


def signed_in_answer(person: User, pair: TokenPair) -> dict[str, Any]:
    """Fresh tokens and whose they are."""
    row = shown_people(User.objects.all()).get(pk=person.pk)
    return {"user": person_answer(row), **tokens_answer(pair)}


def category_answer(category: Category) -> dict[str, Any]:
    """What a person can turn off."""
    return {
        "code": category.code,
        "name": category.name,
        "mandatory": category.is_mandatory,
        "marketing": category.is_marketing,
        "ignores_quiet_hours": category.ignores_quiet_hours,
    }
