"""What processes share to be faster: sealed values in Redis that may vanish, be flushed or lie at any moment.

Without `REDIS_URL` nothing is shared, and every question finds nothing. The rules that keep this harmless:

* A value is sealed (AES-GCM, under a key made from SECRET_KEY, bound to its name): Redis can neither read nor forge it,
  nor hand out one value under another name. What does not open counts as not there.
* A value says when its truth was read, and is worth nothing after `ttl`, whatever Redis says.
* Whoever changes the truth leaves a mark under the same name, after the commit. A value names the mark that lay there
  before the truth was read, and counts only as long as that very mark lies there: a slow reader that puts back what it
  read before the change puts back nothing.
* No answer within a moment means "not there"; then Redis is left alone for some seconds (`redis_cache.py`).
"""

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction

#: No value is kept longer.
LONGEST_TTL = timedelta(days=1)
_NONCE, _MARK = 12, 16  # bytes
#: Which layout the values have; a new one finds none of the old.
_LAYOUT = 1
#: So much a thread keeps to be sent with its next question.
MOST_UNSENT = 100

Command = tuple[Any, ...]
_of_this_thread = threading.local()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One name as it was found: its value, or what is needed to fill it."""

    name: str
    value: Any = None
    #: None: there is no shared cache now, so keeping is in vain.
    mark: bytes | None = None
    looked_at: float = 0.0


def look_up(name: str) -> Slot:
    """What is kept under this name. Ask before reading the truth; on an empty slot read it, and `keep` it there."""
    return look_up_all([name])[0]


def look_up_all(names: Sequence[str]) -> list[Slot]:
    """The same for several, in one round trip. An empty name has nothing and takes nothing."""
    looked_at = time.time()
    asked = [name for name in names if name]
    found = ask([("GET", key_of(kind, name)) for name in asked for kind in ("mark", "value")])
    if not found:
        return [Slot(name=name) for name in names]
    answers = [each if isinstance(each, bytes) else b"" for each in found]
    slots = {}
    for name, mark, sealed in zip(asked, answers[::2], answers[1::2], strict=True):
        value = _opened(name, sealed, mark, now=looked_at)
        slots[name] = Slot(name=name, value=value, mark=mark, looked_at=looked_at)
    return [slots[name] if name else Slot(name=name) for name in names]


def new_slot(name: str) -> Slot:
    """For a truth that never changes: nobody leaves marks under this name, so nothing need be looked up."""
    return Slot(name=name, mark=b"", looked_at=time.time())


def keep(slot: Slot, value: Any, *, ttl: timedelta) -> None:
    """Fill a slot with what has been read since: anything orjson knows; it comes back as JSON has it."""
    keep_all([(slot, value)], ttl=ttl)


def keep_all(values: Sequence[tuple[Slot, Any]], *, ttl: timedelta) -> None:
    """The same for many, in one round trip."""
    if commands := [_to_keep(slot, value, ttl) for slot, value in values if slot.mark is not None]:
        ask(commands)


def keep_soon(slot: Slot, value: Any, *, ttl: timedelta) -> None:
    """The same without a round trip: it goes with this thread's next question. For what is no loss if none comes."""
    if settings.REDIS_URL and slot.mark is not None:
        _unsent().append(_to_keep(slot, value, ttl))


def _to_keep(slot: Slot, value: Any, ttl: timedelta) -> Command:
    milliseconds = round(ttl.total_seconds() * 1000)
    return "SET", key_of("value", slot.name), _sealed(slot, value, ttl), "PX", milliseconds


def _unsent() -> "deque[Command]":
    """The newest of what this thread has not sent yet."""
    try:
        waiting: deque[Command] = _of_this_thread.unsent
    except AttributeError:
        waiting = _of_this_thread.unsent = deque(maxlen=MOST_UNSENT)
    return waiting


def mark_changed(names: Collection[str], *, kept_for: timedelta) -> list[Slot]:
    """The truth under these names has changed: nothing that was read before counts any more. Empty slots to fill anew.

    To be called after the commit. `kept_for` is the ttl of the values; the mark outlives them.
    """
    if not (settings.REDIS_URL and names):
        return []
    slots = [Slot(name=name, mark=os.urandom(_MARK), looked_at=time.time()) for name in names]
    seconds = round(2 * kept_for.total_seconds()) + 1
    done = ask([("SET", key_of("mark", slot.name), slot.mark, "EX", seconds) for slot in slots])
    return slots if done else []


def mark_on_commit(names: Collection[str], *, kept_for: timedelta) -> None:
    """`mark_changed` as soon as the change can be seen by others."""
    if settings.REDIS_URL:
        transaction.on_commit(partial(mark_changed, names, kept_for=kept_for))


def ask(commands: Collection[Command]) -> list[Any] | None:
    """The answers to Redis commands in one round trip, a refusal among them as an exception object. None: no answer."""
    if not settings.REDIS_URL:
        return None
    waiting = [_unsent().popleft() for _ in range(len(_unsent()))]
    answers: list[Any] | None = caches["default"].ask([*waiting, *commands])  # type: ignore[attr-defined]  # users/redis_cache.py
    return None if answers is None else answers[len(waiting) :]


def key_of(kind: str, name: str) -> str:
    """Keys tell nobody whom they are about; two installations, or two databases, on one Redis never meet."""
    ours = _ours()
    digest = hashlib.blake2b(name.encode(), key=ours.secret, digest_size=16).hexdigest()
    return f"notify:{ours.namespace}:{{{digest}}}:{kind}"  # braces: a cluster keeps both of one name together


class _Ours(NamedTuple):
    secret: bytes
    cipher: AESGCM
    #: The beginning of all our keys.
    namespace: str


def _ours() -> _Ours:
    return _made_from(settings.SECRET_KEY, str(connection.settings_dict["NAME"]))


@lru_cache(maxsize=4)
def _made_from(secret_key: str, database: str) -> _Ours:
    secret = hashlib.sha256(b"shared cache:" + secret_key.encode()).digest()
    namespace = hashlib.blake2b(database.encode(), key=secret, digest_size=6).hexdigest()
    return _Ours(secret, AESGCM(secret), namespace)


def _sealed(slot: Slot, value: Any, ttl: timedelta) -> bytes:
    lasts_until = slot.looked_at + min(ttl, LONGEST_TTL).total_seconds()
    nonce = os.urandom(_NONCE)
    plain = orjson.dumps([_LAYOUT, lasts_until, (slot.mark or b"").hex(), value])
    return nonce + _ours().cipher.encrypt(nonce, plain, key_of("value", slot.name).encode())


def _opened(name: str, sealed: bytes, mark: bytes, *, now: float) -> Any:
    """The value, or None for anything that is not ours, not whole, not for this name, too old or overtaken."""
    if len(sealed) <= _NONCE:
        return None
    try:
        plain = _ours().cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], key_of("value", name).encode())
    except InvalidTag:
        return None
    layout, lasts_until, named_mark, value = orjson.loads(plain)
    is_good = layout == _LAYOUT and now < lasts_until <= now + LONGEST_TTL.total_seconds() and named_mark == mark.hex()
    return value if is_good else None
