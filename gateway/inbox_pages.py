"""Pages of an inbox of captured messages, whatever the channel. No query counts.

Captured messages are encrypted: a search opens the newest ones and looks into them.
"""

from collections.abc import Sequence
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

#: Messages per page of the list.
PAGE = 30
#: A search looks into so many, the newest first.
SEARCHED = 2000
Captured = TypeVar("Captured", bound=Model)


def page_of(
    messages: QuerySet[Captured], *, searched: Sequence[str], search: str, older_than: UUID | None
) -> tuple[list[Captured], bool]:
    """A page, in the order of `messages` (newest first), and whether there are older ones.

    `searched` are the fields in which `search` may stand, in any case of letters.
    """
    if older_than is not None:
        messages = messages.filter(pk__lt=older_than)  # UUIDv7: the order of the keys is the order of time
    if not search:
        rows = list(messages[: PAGE + 1])
    else:
        wanted = search.lower()
        found = (
            each
            for each in messages[:SEARCHED].iterator(chunk_size=PAGE * 2)
            if any(wanted in str(getattr(each, name)).lower() for name in searched)
        )
        rows = list(islice(found, PAGE + 1))
    return rows[:PAGE], len(rows) > PAGE
