"""Issue and read the tokens of people (JSON Web Tokens, HS256). Which of them count: users/sign_in.py."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import Token

ACCESS_LIVES = timedelta(minutes=10)
REFRESH_LIVES = timedelta(days=14)
#: A token counts from a little before it was made: the clocks of two hosts differ.
CLOCKS_DIFFER = timedelta(seconds=30)
#: What every token of ours holds besides what simplejwt looks after itself.
CLAIMS = ("sub", "sid", "ver", "nbf", "iat")


class InvalidToken(Exception):
    """Not made by us, not of this kind, or not whole."""


class TokenExpired(Exception):
    """It was good once."""


class AccessToken(Token):
    """Shown with every request."""

    token_type = "access"  # noqa: S105  a kind, not a secret
    lifetime = ACCESS_LIVES


class RefreshToken(Token):
    """Exchanged for new tokens, once."""

    token_type = "refresh"  # noqa: S105
    lifetime = REFRESH_LIVES


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    person_id: UUID
    sign_in_id: UUID
    #: `User.token_version` when it was made.
    version: int
    #: Its own name; of a refresh token only the newest of a sign-in counts.
    token_id: UUID


def issue(kind: type[Token], claims: Claims) -> str:
    """A signed token that says so."""
    token = kind()
    token["sub"], token["sid"] = str(claims.person_id), str(claims.sign_in_id)
    token["ver"], token["jti"] = claims.version, claims.token_id.hex
    token["nbf"] = int((token.current_time - CLOCKS_DIFFER).timestamp())
    return str(token)


def read(text: str, kind: type[Token]) -> Claims:
    """What a token of this kind says. Raises `InvalidToken` or `TokenExpired`."""
    try:
        token = kind(text)  # type: ignore[arg-type]  # its annotation is wrong: it takes the text
        if any(name not in token for name in CLAIMS) or not isinstance(token["ver"], int):
            raise InvalidToken
        return Claims(UUID(token["sub"]), UUID(token["sid"]), token["ver"], UUID(token["jti"]))
    except ExpiredTokenError as error:
        raise TokenExpired from error
    except (TokenError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken from error
