"""The bytes of a broker message: `{"v": 1, "id": "<uuid>"}`. Ids and reason codes, nothing personal.

Old and new code drain the same queues during a release: unknown fields are ignored, and a reader takes its own version
and the one before.
"""

from uuid import UUID

import orjson

from gateway.untold import GivenUp

VERSION = 1
READABLE = frozenset({VERSION, max(VERSION - 1, 1)})
#: Ours has less than a hundred bytes; what is longer is not even looked at.
LONGEST = 4096
#: Characters of an id as we write it.
ID_LENGTH = 36


def hint_body(notification_id: UUID) -> bytes:
    """The message that says: this one is due."""
    return b'{"v":%d,"id":"%s"}' % (VERSION, str(notification_id).encode())


def dead_letter_body(given_up: GivenUp) -> bytes:
    """The message that says: this one was given up, and why."""
    fields = {"v": VERSION, "id": str(given_up.id), "reason": given_up.reason, "channel": given_up.channel}
    return orjson.dumps(fields | {"correlation_id": given_up.correlation_id})


def read_hint(body: bytes) -> UUID | None:
    """The id in a message; None for anything we have not written."""
    if len(body) > LONGEST:
        return None
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict) or type(fields.get("v")) is not int or fields["v"] not in READABLE:
        return None
    written = fields.get("id")
    if not isinstance(written, str) or len(written) != ID_LENGTH:
        return None
    try:
        return UUID(written)
    except ValueError:
        return None
