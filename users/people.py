"""Use cases: find, create, replace and change a person."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from users.devices import register_device
from users.models import Device, User
from users.preferences import Origin, Wish, change_preferences

#: What `replace_person` returns to where it is told nothing.
DEFAULTS: dict[str, Any] = {"name": "", "email": None, "locale": "en", "timezone": "UTC"}


class ValuesTaken(Exception):
    """Values that must be unique belong to somebody else: field → who has it."""

    def __init__(self, taken: Mapping[str, UUID]) -> None:
        super().__init__(", ".join(taken))
        self.taken = dict(taken)


def person_called(user_id: str) -> User | None:
    """The person a path or body names: the client's own id is tried first, then ours."""
    called = Q(external_id=user_id)
    with suppress(ValueError):
        called |= Q(pk=UUID(user_id))
    found = list(User.objects.filter(called).prefetch_related("groups"))
    return next((each for each in found if each.external_id == user_id), next(iter(found), None))


def create_person(
    *,
    fields: Mapping[str, Any],
    password: str | None = None,
    push_token: str | None = None,
    preferences: Mapping[str, bool] | None = None,
    origin: Origin | None = None,
) -> User:
    """A new person; without a password nobody can sign in as them. Raises `ValuesTaken`.

    `origin` says who decided about their `preferences`.
    """
    person = User(**fields)
    with _unique(person):
        person.set_password(password)
        person.save(force_insert=True)
        if push_token:
            register_device(
                user=person,
                provider=Device.Provider.FCM,
                kind=Device.Kind.TOKEN,
                platform=Device.Platform.ANDROID,
                token=push_token,
            )
        if preferences:
            wish = Wish(channels=preferences, categories={})
            change_preferences(user=person, wish=wish, origin=origin or Origin(by="staff", source="command"))
    return person


def replace_person(*, external_id: str, fields: Mapping[str, Any]) -> tuple[User, bool]:
    """The person of this id as `fields` say, what they leave out at its default; whether they are new.

    Password, wishes, devices and whether they are active stay. Raises `ValuesTaken`.
    """
    person = person_called(external_id)
    if person is None:
        return create_person(fields={**fields, "external_id": external_id}), True
    return change_person(person, fields={**DEFAULTS, **fields}), False


def change_person(person: User, *, fields: Mapping[str, Any]) -> User:
    """The person with these fields changed. Raises `ValuesTaken`."""
    for name, value in fields.items():
        setattr(person, name, value)
    with _unique(person):
        person.save()
    return person


@contextmanager
def _unique(person: User) -> Iterator[None]:
    """Asked before, for a clear answer; and after, when somebody else was faster."""
    _refuse_taken(person)
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        _refuse_taken(person)
        raise


def _refuse_taken(person: User) -> None:
    others = User.objects.get_queryset().others_than(person)
    found: dict[str, UUID | None] = {}
    if person.external_id:
        found["external_id"] = others.filter(external_id=person.external_id).values_list("pk", flat=True).first()
    if person.email:
        found["email"] = others.with_email(person.email).values_list("pk", flat=True).first()
    if taken := {field: pk for field, pk in found.items() if pk}:
        raise ValuesTaken(taken)
