"""Use cases: give a client a key, take it back. The key is shown once; only its hash is kept."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from users import lately
from users.audit import note
from users.models import ApiKey, User
from users.rates import KEY_POLICIES, Rate, parse_rate

#: What a key may be allowed, and what else each scope includes.
SCOPES: dict[str, frozenset[str]] = {
    "notifications:write": frozenset({"notifications:manage", "notifications:read"}),
    "notifications:manage": frozenset({"notifications:read"}),
    "notifications:read": frozenset(),
    "notifications:content": frozenset({"notifications:read"}),
    "users:read": frozenset(),
    "users:write": frozenset({"users:read"}),
    "templates:read": frozenset(),
    "templates:write": frozenset({"templates:read"}),
    "templates:publish": frozenset({"templates:write", "templates:read"}),
    "callbacks:read": frozenset(),
    "callbacks:write": frozenset({"callbacks:read"}),
    "services:read": frozenset(),
    "metrics:read": frozenset(),
}
#: How often the time of last use is written down.
USE_NOTED_EVERY = timedelta(minutes=1)
#: A key counts as in use for so long after a noted use.
IN_USE_FOR = 2 * USE_NOTED_EVERY
#: So long an old key works beside the one that takes its place, where nobody says otherwise.
OVERLAP = timedelta(hours=24)


#: The clients of people are named so; no key may be.
PERSON_PREFIX = "person:"


class KeyNotUsable(Exception):
    """It is unknown, or its time is over."""


class ReservedClient(ValueError):
    """A client cannot have the name of a person's own client."""


class UnknownScope(ValueError):
    """A scope that does not exist was asked for."""


def granted(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes and all they include."""
    given = frozenset(scopes)
    return given.union(*(SCOPES.get(scope, frozenset()) for scope in given))


def create_api_key(
    *,
    name: str,
    client: str,
    scopes: Iterable[str],
    mode: ApiKey.Mode = ApiKey.Mode.LIVE,
    valid_for: timedelta | None = None,
    limits: Mapping[str, Rate] | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its plain text, which nobody can see again. `limits`: rates of its own, by policy."""
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise UnknownScope(f"{', '.join(unknown)} is no scope; there are {', '.join(SCOPES)}.")
    if client.startswith(PERSON_PREFIX):
        raise ReservedClient(f"The name of a client cannot begin with {PERSON_PREFIX}")
    plain = f"ntf_{mode}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name,
        client=client,
        mode=mode,
        prefix=plain[:13],
        key_hash=key_hash(plain),
        scopes=wanted,
        limits={policy: str(rate) for policy, rate in (limits or {}).items()},
        expires_at=Now() + valid_for if valid_for else None,
    )
    key.refresh_from_db(fields=["expires_at"])  # the database reckoned it
    return key, plain


@transaction.atomic
def rotate_api_key(
    key_id: UUID, *, overlap: timedelta = OVERLAP, by: User | str, address: str = ""
) -> tuple[ApiKey, str]:
    """A new key that is and may what the old one is and may; both work for `overlap`. As the old one, it is shown once.

    Raises `KeyNotUsable`.
    """
    old = ApiKey.objects.usable().select_for_update().filter(pk=key_id).first()
    if old is None:
        raise KeyNotUsable("This key is unknown, revoked or expired; list_api_keys shows those that work.")
    new, plain = create_api_key(
        name=old.name,
        client=old.client,
        scopes=old.scopes,
        mode=ApiKey.Mode(old.mode),
        valid_for=old.expires_at - old.created_at if old.expires_at else None,
        limits={policy: parse_rate(rate) for policy, rate in old.limits.items()},
    )
    ends = Now() + overlap
    ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=ends), pk=old.pk).update(expires_at=ends)
    lately.forget()
    note(who=by, what="api_key.rotated", about=old, after={"replaced_by": str(new.pk)}, address=address)
    return new, plain


@transaction.atomic
def revoke_api_key(key_id: UUID, *, by: User | str = "the platform", why: str = "", address: str = "") -> bool:
    """End a key at once and for good. False when it was revoked already."""
    was_usable = ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=Now())
    lately.forget()
    if was_usable:
        note(who=by, what="api_key.revoked", about=ApiKey.objects.get(pk=key_id), why=why, address=address)
    return bool(was_usable)


def key_hash(plain: str) -> str:
    """SHA-256 in hexadecimal. A slow hash is not needed: a key has 256 random bits."""
    return hashlib.sha256(plain.encode()).hexdigest()


def usable_key(plain: str) -> ApiKey | None:
    """The key that this text is, if it may still be used."""
    return _find(key_hash(plain))


def usable_key_lately(plain: str) -> ApiKey | None:
    """The same, as of up to a second ago: busy clients cost one query a second, a revoked key lives no longer."""
    return _usable_key_at(lately.moment(), key_hash(plain))


@lru_cache(maxsize=1000)
def _usable_key_at(moment: tuple[int, int], hashed: str) -> ApiKey | None:
    return _find(hashed)


def _find(hashed: str) -> ApiKey | None:
    return ApiKey.objects.usable().filter(key_hash=hashed).first()


def note_use(key: ApiKey, *, address: str | None = None) -> None:
    """Write down that a key was used, and from where, at most once a minute."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - USE_NOTED_EVERY)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=Now(), last_used_from=address or None)


def limits_lately(key: ApiKey) -> Mapping[str, Rate]:
    """Where the keys of this client have rates of their own: the highest among those in use, as of up to a second ago.

    They share one count, so that a key can be rotated; the lower limit of one must not stop the other.
    """
    return _limits_at(lately.moment(), key.pk, key.client, key.mode)


@lru_cache(maxsize=1000)
def _limits_at(moment: tuple[int, int], pk: UUID, client: str, mode: str) -> dict[str, Rate]:
    in_use = Q(pk=pk) | Q(last_used_at__gt=Now() - IN_USE_FOR)
    keys = ApiKey.objects.usable().filter(in_use, client=client, mode=mode)
    limits = list(keys.values_list("limits", flat=True))
    own = {policy for each in limits for policy in each if policy in KEY_POLICIES}
    return {
        policy: max((_rate_of(policy, each) for each in limits), key=lambda rate: rate.per_second) for policy in own
    }


def _rate_of(policy: str, limits: Mapping[str, str]) -> Rate:
    rate: Rate = settings.RATE_LIMITS[policy]
    return parse_rate(limits[policy]) if policy in limits else rate
