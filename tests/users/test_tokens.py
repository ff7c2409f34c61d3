"""Tokens: what they hold, and that nothing but a whole token of ours is taken."""

import uuid

import jwt
import pytest
import time_machine
from django.conf import settings

from users import tokens
from users.tokens import AccessToken, Claims, InvalidToken, RefreshToken, TokenExpired

CLAIMS = Claims(uuid.uuid4(), uuid.uuid4(), 3, uuid.uuid4())


def signed(key=None, algorithm="HS256", **changes):
    """A token of ours with other claims; None takes one away."""
    said = jwt.decode(tokens.issue(AccessToken, CLAIMS), options={"verify_signature": False}) | changes
    key = settings.SIMPLE_JWT["SIGNING_KEY"] if key is None else key
    return jwt.encode({name: value for name, value in said.items() if value is not None}, key, algorithm=algorithm)


@pytest.mark.parametrize("kind", [AccessToken, RefreshToken])
def test_what_was_said_is_read(kind):
    assert tokens.read(tokens.issue(kind, CLAIMS), kind) == CLAIMS


def test_a_token_says_for_whom_it_is_and_until_when():
    said = jwt.decode(tokens.issue(AccessToken, CLAIMS), options={"verify_signature": False})

    assert said["iss"] == "notification-platform"
    assert said["aud"] == "notification-platform-api"
    assert said["exp"] - said["iat"] == 600
    assert said["nbf"] < said["iat"]
    assert said["token_type"] == "access"


def test_it_tells_nothing_else_about_the_person():
    said = jwt.decode(tokens.issue(AccessToken, CLAIMS), options={"verify_signature": False})

    assert set(said) == {"iss", "aud", "exp", "nbf", "iat", "jti", "token_type", "sub", "sid", "ver"}


def test_one_kind_is_not_taken_for_the_other():
    with pytest.raises(InvalidToken):
        tokens.read(tokens.issue(RefreshToken, CLAIMS), AccessToken)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"aud": "elsewhere"},
        {"iss": None},
        {"aud": None},
        {"exp": None},
        {"nbf": None},
        {"iat": None},
        {"jti": None},
        {"sub": None},
        {"sid": None},
        {"ver": None},
        {"token_type": None},
        {"token_type": "refresh"},
        {"nbf": 4_000_000_000},
        {"sub": "ann"},
        {"sid": 7},
        {"ver": "3"},
        {"jti": "none"},
    ],
    ids=str,
)
def test_every_claim_is_looked_at(changes):
    with pytest.raises(InvalidToken):
        tokens.read(signed(**changes), AccessToken)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eyJ",
        "a.b.c",
        signed(key="x" * 64),
        signed(key="", algorithm="none"),
        signed(algorithm="HS512"),
        signed()[:-3],
    ],
)
def test_what_we_did_not_sign_is_refused(text):
    with pytest.raises(InvalidToken):
        tokens.read(text, AccessToken)


def test_an_old_one_is_refused_as_old():
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False):
        text = tokens.issue(AccessToken, CLAIMS)
    with time_machine.travel("2026-11-22T10:09:59Z", tick=False):
        assert tokens.read(text, AccessToken) == CLAIMS
    with time_machine.travel("2026-11-22T10:10:01Z", tick=False), pytest.raises(TokenExpired):
        tokens.read(text, AccessToken)
