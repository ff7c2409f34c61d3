"""Who is asking: clients show an API key as a bearer token (RFC 6750)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from users.api_keys import USE_NOTED_EVERY, granted, note_use, usable_key_lately
from users.models import ApiKey


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API and what they may do: `request.user` of API views."""

    client: str
    mode: str
    scopes: frozenset[str]
    name: str = ""
    is_authenticated: bool = field(default=True, init=False)

    def may(self, scope: str) -> bool:
        """Whether this caller holds `scope`."""
        return scope in self.scopes


def caller_of(request: Request) -> Caller:
    """Who calls an API view; Django's own people never get here."""
    return cast(Caller, request.user)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer ntf_live_…`."""

    def authenticate(self, request: Request) -> tuple[Caller, ApiKey] | None:
        """The caller; None when no credentials were shown."""
        parts = get_authorization_header(request).split()
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            return None
        key = usable_key_lately(parts[1].decode("latin-1"))
        if key is None:
            raise AuthenticationFailed("This API key is unknown, revoked or expired.", code="invalid_api_key")
        # The process's clock is good enough to decide whether to write; the value written is the database's.
        if key.last_used_at is None or datetime.now(UTC) - key.last_used_at > USE_NOTED_EVERY:
            note_use(key)
            key.last_used_at = datetime.now(UTC)
        return Caller(client=key.client, mode=key.mode, scopes=granted(key.scopes), name=key.name), key

    def authenticate_header(self, request: Request) -> str:
        """What a 401 offers."""
        return "Bearer"
