"""Who is asking: clients show an API key, people an access token, both as a bearer token (RFC 6750)."""

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from django.conf import settings
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from users import sign_in
from users.api_keys import PERSON_PREFIX, USE_NOTED_EVERY, granted, note_use, usable_key_lately
from users.models import ApiKey, SignIn, User
from users.staff_roles import Role, roles_of, scopes_of
from users.tokens import InvalidToken, TokenExpired


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API and what they may do: `request.user` of API views."""

    client: str
    mode: str
    scopes: frozenset[str]
    name: str = ""
    #: None for the key of a client.
    person: User | None = None
    roles: tuple[Role, ...] = ()
    is_authenticated: bool = field(default=True, init=False)

    def may(self, scope: str) -> bool:
        """Whether this caller holds `scope`."""
        return scope in self.scopes

    @property
    def sees_all_clients(self) -> bool:
        """People whose role lets them read notifications see those of all clients and modes."""
        return self.person is not None and self.may("notifications:read")


def caller_of(request: Request) -> Caller:
    """Who calls an API view; Django's own people never get here."""
    return cast(Caller, request.user)


def person_calling(request: Request) -> User:
    """The person behind a request to a view that lets only people in."""
    return cast(User, caller_of(request).person)


def client_of(person: User) -> str:
    """The client to which belongs what a person submits. No key can have such a name."""
    return f"{PERSON_PREFIX}{person.pk}"


def bearer_of(request: Request) -> str | None:
    """What stands behind `Bearer`; None when no such credentials were shown."""
    return bearer_in(get_authorization_header(request).decode("latin-1"))


def bearer_in(authorization: str) -> str | None:
    """The same, of a header of that name."""
    parts = authorization.split()
    return parts[1] if len(parts) == 2 and parts[0].lower() == "bearer" else None


def is_token(text: str) -> bool:
    """Whether this is meant as a token of a person; anything else is meant as a key."""
    return text.startswith("eyJ") or text.count(".") == 2


def caller_with_key(text: str, *, address: str | None) -> tuple[Caller, ApiKey] | None:
    """Whose key this is; None when it may not be used."""
    key = usable_key_lately(text)
    if key is None:
        return None
    # The process's clock is good enough to decide whether to write; the value written is the database's.
    if key.last_used_at is None or datetime.now(UTC) - key.last_used_at > USE_NOTED_EVERY:
        note_use(key, address=address)
        key.last_used_at = datetime.now(UTC)
    return Caller(client=key.client, mode=key.mode, scopes=granted(key.scopes), name=key.name), key


#: What METRICS_TOKEN is good for, and all it is good for.
METRICS_SCOPE = "metrics:read"


def reader_of_metrics(text: str, *, address: str | None) -> tuple[Caller, ApiKey | None] | None:
    """Who shows METRICS_TOKEN or a key, whatever its scopes; None when it is neither."""
    token = settings.METRICS_TOKEN
    if token and hmac.compare_digest(token.encode(), text.encode()):
        scopes = frozenset({METRICS_SCOPE})
        return Caller(client="METRICS_TOKEN", mode=ApiKey.Mode.LIVE, scopes=scopes, name="METRICS_TOKEN"), None
    return caller_with_key(text, address=address)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer ntf_live_…`."""

    def authenticate(self, request: Request) -> tuple[Caller, ApiKey | None] | None:
        """The caller; None when no key was shown."""
        text = bearer_of(request)
        if text is None or is_token(text):
            return None
        found = self.caller(text, address=request.META.get("REMOTE_ADDR"))
        if found is None:
            raise AuthenticationFailed("This API key is unknown, revoked or expired.", code="invalid_api_key")
        return found

    def caller(self, text: str, *, address: str | None) -> tuple[Caller, ApiKey | None] | None:
        """Whose credentials these are; None when they are nobody's."""
        return caller_with_key(text, address=address)

    def authenticate_header(self, request: Request) -> str:
        """What a 401 offers."""
        return "Bearer"


class ApiKeyOrMetricsToken(ApiKeyAuthentication):
    """For what Prometheus reads: METRICS_TOKEN can be told to it before there is a database to make a key in."""

    def caller(self, text: str, *, address: str | None) -> tuple[Caller, ApiKey | None] | None:
        """The same, or METRICS_TOKEN."""
        return reader_of_metrics(text, address=address)


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer eyJ…`. What the person may do is asked anew each time, not read from the token.

    A view with `takes_ended_tokens` also gets those of a sign-in that has ended: signing out twice is no mistake.
    """

    def authenticate(self, request: Request) -> tuple[Caller, SignIn] | None:
        """The caller and their sign-in; None when no token was shown."""
        text = bearer_of(request)
        if text is None or not is_token(text):
            return None
        even_ended = getattr((request.parser_context or {}).get("view"), "takes_ended_tokens", False)
        try:
            found = sign_in.sign_in_of(text, even_ended=even_ended)
        except TokenExpired as error:
            raise AuthenticationFailed("This access token is too old.", code="token_expired") from error
        except InvalidToken as error:
            raise AuthenticationFailed("This token does not count.", code="invalid_token") from error
        person = found.user
        roles = tuple(roles_of(person))
        caller = Caller(
            client=client_of(person),
            mode=ApiKey.Mode.LIVE,
            scopes=scopes_of(roles),
            name=str(person),
            person=person,
            roles=roles,
        )
        return caller, found

    def authenticate_header(self, request: Request) -> str:
        """What a 401 offers."""
        return "Bearer"
