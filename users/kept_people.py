"""Which names in the shared cache are about a person, and that they are forgotten when the person changes."""

from collections.abc import Iterable
from datetime import timedelta

from users import shared_cache
from users.channels import Channel

#: Whoever changes a person says so at once; this only bounds what nobody said (a bulk update, a lost mark).
KEPT_FOR = timedelta(seconds=60)


def name_of(user_id: str, channel: str) -> str:
    """The person a client calls `user_id`, with what matters for `channel`."""
    return f"person:{channel}:{user_id}"


def changed(*user_ids: object) -> None:
    """The people known under these ids, those they had before among them, are read anew after the commit."""
    known: Iterable[str] = {str(each) for each in user_ids if each is not None}
    shared_cache.mark_on_commit(
        [name_of(user_id, channel) for user_id in known for channel in Channel.values], kept_for=KEPT_FOR
    )
