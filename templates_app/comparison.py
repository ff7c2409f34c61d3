"""What differs between two versions: field by field, and word by word within a field; what callers must know."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from templates_app.drafting import FIELDS
from templates_app.models import TemplateVersion
from users.channels import Channel

#: Words, blanks, tags of the template, and everything else character by character.
WORD = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\w+|\s+|.", re.DOTALL)
#: Words on both sides beyond which whole lines are compared: comparing is quadratic.
MOST_WORDS = 4_000


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


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words that stand in both texts, or in one of them."""

    kind: Literal["same", "inserted", "deleted"]
    text: str


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


def compare_words(before: str, after: str) -> list[Piece]:
    """Two texts word by word; very long ones line by line."""
    old, new = WORD.findall(before), WORD.findall(after)
    if len(old) + len(new) > MOST_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[old_start:old_end])))
            continue
        if old_end > old_start:
            pieces.append(Piece("deleted", "".join(old[old_start:old_end])))
        if new_end > new_start:
            pieces.append(Piece("inserted", "".join(new[new_start:new_end])))
    return pieces


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
