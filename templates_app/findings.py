"""What a check found in a version: things to mend, things to look at."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend (`error`) or to look at (`warning`)."""

    level: Literal["error", "warning"]
    code: str
    #: Such as contents/de/email/subject.
    path: str
    detail: str
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The shape of the API."""
        return {
            "level": self.level,
            "code": self.code,
            "path": self.path,
            "line": self.line,
            "detail": self.detail,
        }


def error(code: str, path: str, detail: str, *, line: int | None = None) -> Finding:
    """Something that blocks publishing."""
    return Finding(level="error", code=code, path=path, detail=detail, line=line)


def warning(code: str, path: str, detail: str, *, line: int | None = None) -> Finding:
    """Something to look at."""
    return Finding(level="warning", code=code, path=path, detail=detail, line=line)
