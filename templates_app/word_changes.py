"""Two texts word by word (pure)."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

#: A word, a placeholder as a whole, a run of blanks, or a single other character.
PIECE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\w+|\s+|.", re.DOTALL)
#: Longer texts are compared by lines: words would take too long, and nobody could read them.
MOST_PIECES = 4_000


class Change(NamedTuple):
    """A run of text that is in both, was added, or was removed."""

    kind: Literal["same", "added", "removed"]
    text: str


def word_changes(before: str, after: str) -> list[Change]:
    """How `after` came of `before`, in reading order."""
    one, other = PIECE.findall(before), PIECE.findall(after)
    if len(one) + len(other) > MOST_PIECES:
        one, other = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[Change] = []
    for kind, begin, end, new_begin, new_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Change("same", "".join(one[begin:end])))
            continue
        if begin < end:
            found.append(Change("removed", "".join(one[begin:end])))
        if new_begin < new_end:
            found.append(Change("added", "".join(other[new_begin:new_end])))
    return found
