"""`Problem`: what views and use cases of the API raise to refuse; `gateway/problems.py` makes the answer of it."""

from collections.abc import Iterable, Mapping

from users.problem_catalogue import PROBLEMS
from users.validation_findings import FieldError

__all__ = ["FieldError", "Problem"]


class Problem(Exception):
    """An answer that is an error. `code` is a key of the catalogue; `members` stand in the answer as they are given."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        self.kind = PROBLEMS[code]
        self.code = code
        self.detail = detail or self.kind.meaning
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = members
        super().__init__(f"{code}: {self.detail}")
