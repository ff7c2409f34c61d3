"""What differs between two versions, field by field, and what callers must know of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from templates_app.drafting import FIELDS
from templates_app.models import TemplateVersion
from users.channels import Channel


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; None where there is nothing."""

    #: Such as contents/de/email/subject, or variables/name/required.
    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that differs between two versions."""

    changes: tuple[Change, ...]
    variables_added: tuple[str, ...]
    variables_removed: tuple[str, ...]
    #: Those that callers could leave out before, or that did not exist.
    variables_now_required: tuple[str, ...]


def compare_versions(before: TemplateVersion, after: TemplateVersion) -> Comparison:
    """What `after` has other than `before`."""
    old = {each["name"]: each for each in before.variables}
    new = {each["name"]: each for each in after.variables}
    changes = [
        *_changes("variables", old, new),
        *_changes("contents", _contents(before), _contents(after)),
    ]
    return Comparison(
        changes=tuple(changes),
        variables_added=tuple(sorted(new.keys() - old.keys())),
        variables_removed=tuple(sorted(old.keys() - new.keys())),
        variables_now_required=tuple(
            sorted(name for name, each in new.items() if each["required"] and not old.get(name, {}).get("required"))
        ),
    )


def _contents(version: TemplateVersion) -> dict[str, dict[str, Any]]:
    return {
        f"{content.locale}/{content.channel}": {
            # What is empty is not there.
            field: getattr(content, field) or None
            for field in FIELDS[Channel(content.channel)]
        }
        for content in version.contents.all()
    }


def _changes(
    root: str, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, {}), after.get(key, {})
        for field in dict.fromkeys([*old, *new]):
            if old.get(field) != new.get(field):
                yield Change(f"{root}/{key}/{field}", old.get(field), new.get(field))
