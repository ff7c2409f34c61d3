"""What the stand-in mail server does other than usual, by rules or by the recipient's address.

An address whose local part reads `<stage>-<what>` asks for it by itself; `+anything` behind it tells addresses apart:
`rcpt-550-5.1.1@`, `dot-451-4.7.1+7@`, `data-554@`, `dot-hang@`, `accepted-close@`, `dot-delay-300@` (milliseconds).
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path

#: In the order of a session. `dot`: the content is there, nothing is promised yet; `accepted`: it is in the log, the
#: answer is not given yet; `answered`: the answer is given.
STAGES = ("connect", "hello", "starttls", "auth", "noop", "rset", "mail", "rcpt", "data", "dot", "accepted", "answered")
ACTS = ("", "hang", "close")
#: Stages that know whom a mail is for.
_OF_RECIPIENTS = frozenset({"rcpt", "data", "dot", "accepted", "answered"})
_WORDS = re.compile(
    rf"(?P<at>{'|'.join(STAGES)})-"
    r"(?:(?P<act>hang|close)|delay-(?P<delay>\d{1,6})|(?P<code>[245]\d\d)(?:-(?P<status>[245]\.\d{1,3}\.\d{1,3}))?)",
    re.IGNORECASE,
)
#: In a rule by recipient: everybody, and the stages that know nobody yet.
ALL = "*"


@dataclass(kw_only=True)
class Rule:
    """One deviation. Without `reply` and `act` it only waits, and goes on as usual."""

    at: str
    #: Answered instead of the usual, such as "451 4.7.1 Come back later." A 421 closes the connection.
    reply: str = ""
    act: str = ""
    #: Seconds before anything happens.
    delay: float = 0.0
    #: Each so many times on one connection; 1: always.
    every: int = 1
    #: At most so often over all connections; 0: without limit.
    times: int = 0
    _met: Counter[int] = field(default_factory=Counter, repr=False)
    _applied: int = 0

    def __post_init__(self) -> None:
        if self.at not in STAGES:
            raise ValueError(f"at is {self.at!r}; allowed are {', '.join(STAGES)}.")
        if self.act not in ACTS:
            raise ValueError(f"act is {self.act!r}; allowed are hang, close or nothing.")
        if self.reply and not re.match(r"[2-5]\d\d[ -]", self.reply):
            raise ValueError(
                f"reply is {self.reply!r}; a code and words are needed, such as 451 4.7.1 Come back later."
            )

    def applies(self, stage: str, connection: int) -> bool:
        """Whether it is this rule's turn; asking counts."""
        if stage != self.at or (self.times and self._applied >= self.times):
            return False
        self._met[connection] += 1
        if self._met[connection] % self.every:
            return False
        self._applied += 1
        return True


def rules_from(text: str) -> list[Rule]:
    """Rules written as JSON: [{"at": "mail", "reply": "421 4.3.2 Restarting", "every": 50}]. Raises ValueError."""
    read = json.loads(text)
    known = {each.name for each in fields(Rule) if not each.name.startswith("_")}
    if not isinstance(read, list) or not all(isinstance(each, dict) for each in read):
        raise ValueError("A list of rules is needed.")
    for each in read:
        if unknown := set(each) - known:
            raise ValueError(
                f"{', '.join(sorted(unknown))} is no part of a rule; there are {', '.join(sorted(known))}."
            )
    return [Rule(**each) for each in read]


@lru_cache(maxsize=10_000)
def rule_of(address: str) -> Rule | None:
    """What an address asks for."""
    local, at, _ = address.partition("@")
    rule = rule_from_words(local.partition("+")[0]) if at else None
    return rule if rule and rule.at in _OF_RECIPIENTS else None


def rule_from_words(words: str) -> Rule | None:
    """`rcpt-550-5.1.1`, `connect-421`, `dot-delay-300`, `auth-hang`. None for anything else."""
    asked = _WORDS.fullmatch(words)
    if asked is None:
        return None
    code, status = asked["code"], asked["status"]
    return Rule(
        at=asked["at"].lower(),
        reply=f"{code} {status + ' ' if status else ''}As it was asked for." if code else "",
        act=(asked["act"] or "").lower(),
        delay=int(asked["delay"] or 0) / 1000,
    )


class RuleBook:
    """The rules in force: those given, or those of a file that may change at any time."""

    def __init__(self, rules: Sequence[Rule] = (), file: Path | None = None) -> None:
        self.rules = list(rules)
        #: Before what an address asks for by itself; `*` is for all others.
        self.by_recipient: dict[str, Rule] = {}
        self._file = file
        self._read_at = 0
        if file is not None:
            file.touch()
            self._look(file)

    def find(self, stage: str, connection: int, recipients: Sequence[str]) -> Rule | None:
        """The rule whose turn it is, if any."""
        if self._file is not None and stage in ("connect", "mail"):
            self._look(self._file)
        for rule in self.rules:
            if rule.applies(stage, connection):
                return rule
        everybody = self.by_recipient.get(ALL)
        for address in recipients or [""]:
            asked = self.by_recipient.get(address) or rule_of(address) or everybody
            if asked is not None and asked.at == stage:
                return asked
        return None

    def _look(self, file: Path) -> None:
        changed_at = file.stat().st_mtime_ns
        if changed_at == self._read_at:
            return
        text = file.read_text(encoding="utf-8").strip()
        try:
            self.rules = rules_from(text) if text else []
        except (ValueError, TypeError):
            if not self._read_at:
                raise
            return  # half written: the next look finds it whole
        self._read_at = changed_at
