"""The reason catalogue: every code of the contract has words, every code we write is in it."""

import ast
import re
from pathlib import Path

import pytest
from django.utils.translation import override

from gateway.explanation import EVENTS, PROVIDERS
from gateway.reasons import REASONS, UNKNOWN_VALUES, fill, pattern, sentence, word
from gateway.simulation import REFUSED, SIMULATOR

ROOT = Path(__file__).resolve().parents[2]
#: Section 20 of the API document: status → reasons.
CONTRACT = {
    "accepted": "waiting scheduled quiet_hours retrying rate_limited provider_down breaker_open provider_auth",
    "queued": "waiting",
    "sending": "sending outcome_unknown",
    "sent": "sent",
    "delivered": "delivered",
    "bounced": "mailbox_unknown mailbox_full rejected_content bounced",
    "suppressed": "opt_out address_suppressed no_address no_device user_inactive not_on_allow_list",
    "cancelled": "cancelled erased",
    "expired": "expired",
    "failed": (
        "attempts_exhausted rejected rejected_content mailbox_unknown token_invalid variable_missing template_error "
        "outcome_unknown poison"
    ),
}
CODES = sorted({code for codes in CONTRACT.values() for code in codes.split()})


def test_the_catalogue_is_that_of_the_contract():
    assert sorted(REASONS) == CODES


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_word_and_a_sentence(code):
    assert word(code).strip()
    assert len(word(code).split()) <= 6
    assert str(REASONS[code].sentence).endswith(".")


#: A value for everything that may stand in a sentence, as rows carry them.
FULL = (
    {"name": "Ann", "channel": "e-mail", "category": "Updates", "who": "Sam", "reason": "too late", "why": "mended"}
    | {"start": "22:00", "end": "07:00", "tz": "Europe/Vienna", "t": "08:00", "date": "2026-11-01"}
    | {"provider": "The mail server", "domain": "example.com", "code": "550 5.1.1", "error": "No such mailbox"}
    | {"last_error": "It is busy", "n": "2", "m": "8", "v": "3", "variable": "name"}
)
#: What rows have carried: everything, nothing, blanks, words that end their own sentence, one value alone.
SHAPES = {
    "everything": FULL,
    "nothing": {},
    "blanks": dict.fromkeys(FULL, ""),
    "none": dict.fromkeys(FULL),
    "full stops": {name: f"{value}." for name, value in FULL.items()},
    "questions": {name: f"{value}?" for name, value in FULL.items()},
    **{f"{name} alone": {name: value} for name, value in FULL.items()},
}
#: Double words, a code that is none, brackets around nothing, two ends of one sentence, the marks of our patterns.
UGLY = re.compile(
    r"\b(\w+) \1\b|no code|\(\W*\)|[.!?:;,]\s*[.:;,]|[:;,] *$|\s[.:;,)]|  |[{}\[\]…]|\b(on|at|until|by) later",
    re.I,
)


@pytest.mark.parametrize("words", [*CODES, *EVENTS])
def test_a_sentence_reads_well_whatever_is_known(words):
    for data in SHAPES.values():
        said = sentence(words, data) if words in REASONS else fill(EVENTS[words][1], data)

        assert not UGLY.search(said), said
        assert said[0].isupper(), said
        assert said.endswith((".", "?")), said


def test_the_simulator_speaks_like_a_person():
    data = {"provider": PROVIDERS[SIMULATOR], "error": REFUSED.detail, "code": REFUSED.provider_code}

    assert sentence("rejected", data) == (
        "The simulator refused it for good. It said: The address or token asks for this."
    )
    assert sentence("mailbox_unknown", {"provider": SIMULATOR}) == "The mail server says there is no such mailbox."


def test_a_pattern_shows_all_that_may_be_said():
    assert pattern("mailbox_unknown") == "The mail server says there is no such mailbox ({code})."


def test_what_is_known_stands_in_the_sentence():
    known = {"name": "Ann", "channel": "E-mail", "start": "22:00", "end": "07:00", "tz": "Europe/Vienna", "t": "08:00"}

    assert sentence("quiet_hours", known) == (
        "Ann does not want E-mail between 22:00 and 07:00 (Europe/Vienna); it goes out at 08:00."
    )


def test_more_than_a_sentence_needs_does_no_harm():
    assert sentence("sent", {"provider": "smtp", "colour": "red"}).startswith("smtp accepted it.")


def test_values_are_values_and_no_format():
    assert "{provider} {0.__class__}" in sentence("no_device", {"name": "{provider} {0.__class__}"})
    assert fill("{n}", {"n": 5}) == "5"


def test_a_code_nobody_knows_reads_as_itself():
    assert (sentence("pigeon_lost", {}), word("pigeon_lost")) == ("pigeon_lost", "pigeon_lost")


def test_words_are_made_when_they_are_read():
    """The catalogue is loaded once; its words follow the reader's language."""
    with override("de"):
        german = word("waiting")
    assert str(REASONS["waiting"].word) == word("waiting")
    assert german


def test_stand_ins_are_for_values_that_exist():
    used = " ".join(str(reason.sentence) for reason in REASONS.values())

    assert [name for name in UNKNOWN_VALUES if f"{{{name}}}" not in used] == []


# --- what the code writes ---------------------------------------------------------------------------------------------


def reasons_in(tree):
    """Every reason written out as a text: `reason="…"`, `reason: str = "…"`, `Suppress("…")`."""
    skipped = set()
    for node in ast.walk(tree):  # calls come before their arguments
        match node:
            case ast.Call(func=ast.Name(id="JSONObject")):
                skipped.update(node.keywords)  # names of columns
            case ast.keyword(arg="reason", value=ast.Constant(value=str(code))) if node not in skipped:
                yield code
            case ast.AnnAssign(target=ast.Name(id="reason"), value=ast.Constant(value=str(code))) if code:
                yield code
            case ast.Call(func=ast.Name(id="Suppress"), args=[ast.Constant(value=code), *_]):
                yield code
            case ast.Call(func=ast.Name(id="DeferUntil"), args=[_, ast.Constant(value=code), *_]):
                yield code


def test_every_reason_the_code_writes_is_in_the_catalogue():
    written = {}
    apps = ["users", "templates_app", "gateway", "channels_email", "channels_push", "consumers"]
    for path in (path for app in apps for path in (ROOT / app).rglob("*.py")):
        written |= dict.fromkeys(reasons_in(ast.parse(path.read_text())), path.name)

    assert {"opt_out", "quiet_hours", "waiting", "retrying", "rejected", "template_error"} <= written.keys()
    assert {code: path for code, path in written.items() if code not in REASONS} == {}
