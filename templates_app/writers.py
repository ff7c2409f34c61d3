"""Who wrote and published, for people: `person:<id>` as a name, clients as they are called."""

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from users.models import User

PERSON = "person:"


def names_of(writers: Iterable[str]) -> dict[str, str]:
    """Each of them as people read it, in one query. People who are gone are not named."""
    asked = {each for each in writers if each}
    people = {}
    for each in asked:
        with suppress(ValueError):
            if each.startswith(PERSON):
                people[UUID(each.removeprefix(PERSON))] = each
    names = {each: each for each in asked if not each.startswith(PERSON)}
    for user in User.objects.filter(pk__in=people) if people else ():
        names[people[user.pk]] = user.name or str(user)
    return names
