"""Pages of an inbox of captured messages, whatever the channel. No query counts."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

#: Messages per page of the list.
PAGE = 30
Captured = TypeVar("Captured", bound=Model)


def page_of(
    messages: QuerySet[Captured], *, searched: Sequence[str], search: str, older_than: UUID | None
) -> tuple[list[Captured], bool]:
    """A page, in the order of `messages` (newest first), and whether there are older ones.

    `searched` are the columns in which `search` may stand, in any case of letters.
    """
    if search:
        found = Q()
        for column in searched:
            found |= Q(**{f"{column}__icontains": search})
        messages = messages.filter(found)
    if older_than is not None:
        messages = messages.filter(pk__lt=older_than)  # UUIDv7: the order of the keys is the order of time
    rows = list(messages[: PAGE + 1])
    return rows[:PAGE], len(rows) > PAGE
