"""People who call the API: registered, signed in, with roles."""

from django.contrib.auth.models import Group
from django.test import Client

from tests.factories import UserFactory
from users import sign_in
from users.models import User

PASSWORD = "correct horse battery"
EMAIL = "ann@example.com"


def person_with_password(*, email: str = EMAIL, password: str = PASSWORD, **fields) -> User:
    """Somebody who can sign in."""
    person = UserFactory(email=email, **fields)
    person.set_password(password)
    person.save()
    return person


def give_roles(person: User, *roles: str) -> None:
    """The groups these roles are."""
    for role in roles:
        person.groups.add(Group.objects.get_or_create(name=role.capitalize())[0])


def caller(person: User) -> Client:
    """A program that calls for this person."""
    return Client(headers={"Authorization": f"Bearer {sign_in.open_sign_in(person).access}"})


def post(client: Client, path: str, body: dict):
    return client.post(f"/api/v1/{path}", body, content_type="application/json")
