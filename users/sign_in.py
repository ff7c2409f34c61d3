"""Use cases: sign in, refresh, sign out, change the password; and whose tokens still count."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models.functions import Now

from users import tokens
from users.models import SignIn, User
from users.tokens import AccessToken, Claims, InvalidToken, RefreshToken


class InvalidCredentials(Exception):
    """No active account has this address and password. Nobody learns which of the three it was."""


class TokenReused(Exception):
    """A refresh token came a second time: one of two has stolen it. The whole sign-in has ended."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a person gets by signing in or refreshing."""

    access: str
    refresh: str
    #: How long `access` lives.
    lives: timedelta = tokens.ACCESS_LIVES


def sign_in(*, email: str, password: str) -> tuple[User, TokenPair]:
    """The person and fresh tokens. Raises `InvalidCredentials`, after the same time for people known and unknown."""
    person = User.objects.with_email(email).first()
    if person is None:
        User().set_password(password)  # takes as long as looking at the password of somebody known
        raise InvalidCredentials
    if not person.check_password(password) or not person.is_active:
        raise InvalidCredentials
    User.objects.filter(pk=person.pk).update(last_login=Now())
    return person, open_sign_in(person)


@transaction.atomic
def open_sign_in(person: User) -> TokenPair:
    """Fresh tokens for somebody who has shown who they are; what is left of old sign-ins goes."""
    SignIn.objects.filter(user=person, expires_at__lt=Now()).delete()
    opened = SignIn.objects.create(user=person, refresh_id=uuid4(), expires_at=Now() + tokens.REFRESH_LIVES)
    return _pair(person, opened.pk, opened.refresh_id)


def _pair(person: User, sign_in_id: UUID, refresh_id: UUID) -> TokenPair:
    claims = Claims(person.pk, sign_in_id, person.token_version, refresh_id)
    return TokenPair(
        access=tokens.issue(AccessToken, replace(claims, token_id=uuid4())), refresh=tokens.issue(RefreshToken, claims)
    )


def sign_in_of(access: str, *, even_ended: bool = False) -> SignIn:
    """The sign-in behind an access token, its `user` with it. Raises `InvalidToken` or `TokenExpired`."""
    found = _counting(tokens.read(access, AccessToken))
    if found.ended_at is not None and not even_ended:
        raise InvalidToken
    return found


def _counting(claims: Claims) -> SignIn:
    """The sign-in these claims belong to, ended or not; its person must be active and have the same password still."""
    found = SignIn.objects.select_related("user").filter(pk=claims.sign_in_id, user=claims.person_id).first()
    if found is None or not found.user.is_active or found.user.token_version != claims.version:
        raise InvalidToken
    return found


def refresh(*, token: str) -> TokenPair:
    """New tokens for a refresh token, which is used up by it.

    Raises `InvalidToken`, `TokenExpired`, or `TokenReused` after ending the sign-in.
    """
    claims = tokens.read(token, RefreshToken)
    found = _counting(claims)
    newer = uuid4()
    # One statement: of two at the same time with the same token only one gets through.
    taken = SignIn.objects.filter(pk=found.pk, refresh_id=claims.token_id, ended_at=None)
    if taken.update(refresh_id=newer, expires_at=Now() + tokens.REFRESH_LIVES):
        return _pair(found.user, found.pk, newer)
    found.refresh_from_db(fields=["refresh_id", "ended_at", "was_reused"])
    is_old = found.refresh_id != claims.token_id
    if is_old and (found.ended_at is None or found.was_reused):
        SignIn.objects.filter(pk=found.pk, ended_at=None).update(ended_at=Now(), was_reused=True)
        raise TokenReused
    raise InvalidToken


def sign_out(*, person: User, token: str) -> None:
    """End the sign-in a refresh token of this person belongs to. Repeatable; a token too old has ended already.

    Raises `InvalidToken` for what is no refresh token of theirs.
    """
    try:
        claims = tokens.read(token, RefreshToken)
    except tokens.TokenExpired:
        return
    if claims.person_id != person.pk:
        raise InvalidToken
    SignIn.objects.filter(pk=claims.sign_in_id, user=person, ended_at=None).update(ended_at=Now())


@transaction.atomic
def change_password(*, person: User, current: str, new: str) -> None:
    """Another password; every token of the person ends with it. Raises `InvalidCredentials`."""
    if not person.check_password(current):
        raise InvalidCredentials
    person.set_password(new)
    person.save()  # counts `token_version` up
    SignIn.objects.filter(user=person, ended_at=None).update(ended_at=Now())
