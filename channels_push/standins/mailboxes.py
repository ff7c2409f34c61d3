"""A push service for browsers that have none of their own at hand: what arrives waits, still encrypted, to be fetched.

It knows no keys: only the browser that subscribed can read its messages. Memory of one process, for development only.
"""

import base64
import json
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from py_vapid import Vapid

from gateway.standin_server import Given

#: Bytes of an encrypted message that every push service takes (RFC 8030, section 7.2).
LARGEST = 4096
#: Beyond this the oldest subscription ends.
MOST_MAILBOXES = 50
#: A mailbox keeps so many messages.
MOST_MESSAGES = 20


@dataclass(slots=True)
class _Mailbox:
    number: int = 0
    messages: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=MOST_MESSAGES))


class Mailboxes:
    """One for each subscription, by its name: who knows the name may put something in and look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boxes: OrderedDict[str, _Mailbox] = OrderedDict()

    def subscribe(self) -> str:
        """The name of a new one."""
        name = secrets.token_urlsafe(24)
        with self._lock:
            self._boxes[name] = _Mailbox()
            while len(self._boxes) > MOST_MAILBOXES:
                self._boxes.popitem(last=False)
        return name

    def put(self, name: str, body: bytes, headers: Mapping[str, str], *, origin: str) -> Given:
        """What a push service answers to a message (RFC 8030); `headers` by their lower-case names."""
        with self._lock:
            box = self._boxes.get(name)
        if box is None:
            return Given(404)
        if refusal := refusal_of(body, headers, origin=origin):
            return refusal
        with self._lock:
            box.number += 1
            box.messages.append((box.number, body))
        return Given(201, None, {"Location": f"{origin}/message/{box.number}"})

    def messages(self, name: str, *, after: int) -> list[dict[str, Any]] | None:
        """Those that came after the one of this number, oldest first; None when there is no such mailbox."""
        with self._lock:
            box = self._boxes.get(name)
            if box is None:
                return None
            found = [(number, body) for number, body in box.messages if number > after]
        return [{"number": number, "body": base64.b64encode(body).decode()} for number, body in found]


def refusal_of(body: bytes, headers: Mapping[str, str], *, origin: str) -> Given | None:
    """What every push service checks before it takes a message for one of its endpoints."""
    if len(body) > LARGEST:
        return Given(413)
    if not headers.get("ttl", "").isdigit() or headers.get("content-encoding") != "aes128gcm":
        return Given(400, {"reason": "TTL and Content-Encoding are needed"})
    return None if _is_proven(headers.get("authorization", ""), origin) else Given(403, {"reason": "BadJwtToken"})


def _is_proven(proof: str, origin: str) -> bool:
    """Whether the VAPID token is signed, and for this very address (RFC 8292)."""
    if not proof.startswith("vapid ") or not Vapid.verify(proof):
        return False
    claims = proof.partition("t=")[2].split(",")[0].split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return bool(found.get("sub")) and urlsplit(found.get("aud", "")).netloc == urlsplit(origin).netloc
