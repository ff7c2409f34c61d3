"""A figure: what was measured, held against its goal, and written down with all that it depends on."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. Of `at_least` and `at_most` one may be given as the goal; `floor` has the same sense."""

    what: str
    measured: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    #: What must be reached already now, where that is less than the goal.
    floor: float | None = None

    @property
    def goal(self) -> float | None:
        """The goal's number."""
        return self.at_least if self.at_least is not None else self.at_most

    @property
    def ratio(self) -> float | None:
        """The goal in units of itself: 1 or more is reached, whichever way it is asked."""
        if self.goal is None:
            return None
        return self.measured / self.goal if self.at_least is not None else self.goal / max(self.measured, 1e-9)

    def reaches(self, number: float | None) -> bool | None:
        """Whether it is on the right side of a goal or a floor; None when there is none."""
        if number is None:
            return None
        return self.measured <= number if self.at_most is not None else self.measured >= number


@dataclass(slots=True, kw_only=True)
class Figure:
    """All rows of one figure of one run."""

    name: str
    title: str
    size: str
    rows: list[Row]
    #: How it was measured, for readers of the table.
    notes: list[str] = field(default_factory=list)
    #: Everything else that was found on the way.
    details: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)

    def save(self) -> Path:
        """Write benchmarks/results/<name>.json; the file of an earlier run is replaced."""
        path = RESULTS / f"{self.name}.json"
        path.parent.mkdir(exist_ok=True)
        rows = [_as_json(row) for row in self.rows]
        content = {"figure": self.name, "title": self.title, "size": self.size, "rows": rows, "notes": self.notes}
        content |= {"details": self.details, "machine": self.machine}
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def _as_json(row: Row) -> dict[str, Any]:
    numbers = {name: value for name, value in asdict(row).items() if value is not None}
    if row.goal is not None:
        numbers |= {"ratio_to_goal": round(row.ratio or 0, 3), "goal_reached": row.reaches(row.goal)}
    if row.floor is not None:
        numbers["floor_reached"] = row.reaches(row.floor)
    return numbers
