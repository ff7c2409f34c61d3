"""What the use cases of people refuse, as problems of the API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from users.people import ValuesTaken
from users.problems import FieldError, Problem
from users.sign_in import InvalidCredentials, TokenReused
from users.tokens import InvalidToken, TokenExpired


@contextmanager
def as_problems(*, may_see_others: bool = False) -> Iterator[None]:
    """Within it, an exception of a use case becomes the problem a client understands.

    `may_see_others`: whether the caller may learn who has a value that is taken.
    """
    try:
        yield
    except ValuesTaken as error:
        raise _values_taken(error, may_see_others=may_see_others) from error
    except tuple(TRANSLATIONS) as error:
        raise TRANSLATIONS[type(error)](error) from error


def _values_taken(error: ValuesTaken, *, may_see_others: bool) -> Problem:
    who = {field: {"existing_id": pk} if may_see_others else {} for field, pk in error.taken.items()}
    errors = [FieldError(f"/{field}", "not_unique", "Somebody else has this.", who[field]) for field in error.taken]
    if not may_see_others:
        return Problem("conflict", errors=errors)
    return Problem("conflict", errors=errors, existing_id=next(iter(error.taken.values())))


#: One line per exception, so that nothing is forgotten and nothing is caught by accident.
TRANSLATIONS: dict[type[Exception], Callable[[Any], Problem]] = {
    InvalidCredentials: lambda error: Problem("invalid_credentials"),
    InvalidToken: lambda error: Problem("invalid_token"),
    TokenExpired: lambda error: Problem("token_expired"),
    TokenReused: lambda error: Problem("token_reused"),
}
