"""What a campaign has found: a table for people, JSON for machines, and the story of everything that went wrong."""

import json
import os
import platform
import subprocess
from pathlib import Path
from uuid import UUID

from tests.chaos.checker import Findings
from tests.chaos.evidence import Query

#: Stories that are told, and those of them that are printed.
TOLD, SHOWN = 50, 10
#: The place of the table in the document.
BEGIN = "<!-- campaign: written by `make chaos` from benchmarks/results/chaos.json -->"
END = "<!-- end of campaign -->"


def machine() -> dict:
    memory = int(next(line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line))
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "cores": os.cpu_count(),
        "processor": model[0] if model else platform.machine(),
        "memory_gb": round(memory / 2**20),
    }


def figures(found: Findings) -> dict:
    """Counts only."""
    return {
        "acknowledged": found.acknowledged,
        "delivered": found.delivered,
        "lost": len(found.lost),
        "unsettled": len(found.unsettled),
        "duplicated": found.duplicated,
        "copies_beyond_the_first": found.copies_beyond,
        "explained": found.explained,
        "unexpected": len(found.unexpected),
        "duplicates_under_hold": len(found.hold_duplicates),
        "held_in_doubt": len(found.held_in_doubt),
        "given_up": dict(found.given_up),
        "recovered": found.recovered,
        "fewest_possible_duplicates": found.fewest_possible,
        "duplicates_under_resend": found.resend_duplicates,
        "other_faults": sum(1 for id_ in found.faults if id_ not in found.lost | found.unsettled | found.unexpected),
    }


WORDS = {
    "acknowledged": "acknowledged (the client got 202)",
    "delivered": "delivered (the mail server took it)",
    "lost": "lost",
    "unsettled": "never came to an end",
    "duplicated": "notifications delivered more than once",
    "copies_beyond_the_first": "copies beyond the first",
    "explained": "  explained: flagged, with an attempt in doubt",
    "unexpected": "  unexpected",
    "duplicates_under_hold": "  under hold",
    "fewest_possible_duplicates": "D*: taken, and not written down in time (resend)",
    "duplicates_under_resend": "duplicates under resend (at most D*)",
    "held_in_doubt": "held in doubt, for an operator",
    "recovered": "recovered: a process, a hint or an answer was lost",
    "other_faults": "other disagreements of the three logs",
}


def table(result: dict) -> str:
    rows = rows_of(result)
    width = max(len(words) for words, _ in rows)
    return "\n".join(f"{words:<{width}}  {value:>7}" for words, value in rows)


def rows_of(result: dict) -> list[tuple[str, str]]:
    """Words and figures, as the table shows them."""
    found = result["found"]
    rows = [(words, str(found[name])) for name, words in WORDS.items()]
    rows += [(f"given up: {reason}", str(count)) for reason, count in sorted(found["given_up"].items())]
    rows.append(("seconds from the last blow to the last delivery", str(result["seconds_to_recover"])))
    rows.append(("blows", str(sum(result["nemesis"].values()))))
    return rows + [(f"  {name.replace('_', ' ')}", str(count)) for name, count in sorted(result["nemesis"].items())]


def as_markdown(result: dict) -> str:
    """For docs/delivery-guarantees.md."""
    machine, versions = result["machine"], result["versions"]
    servers = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        f"{result['at'][:10]}, profile `{result['name']}`, seed {result['seed']}, {result['seconds']} s in all, "
        f"on {machine['cores']} cores ({machine['processor']}, {machine['memory_gb']} GB); {servers}.",
        "",
        "| | |",
        "|---|---:|",
        *(f"| {words.replace('  ', '&ensp;')} | {value} |" for words, value in rows_of(result)),
    ]
    return "\n".join(lines) + "\n"


def with_campaign(document: str, result: dict) -> str:
    """The document with the table of this campaign in its place."""
    head, _, rest = document.partition(BEGIN)
    return f"{head}{BEGIN}\n{as_markdown(result)}{END}{rest.partition(END)[2]}"


def is_sound(found: dict) -> bool:
    names = ("lost", "unsettled", "unexpected", "duplicates_under_hold", "other_faults")
    return not any(found[name] for name in names) and found["acknowledged"] > 0


def stories(found: Findings, *, database: Query, folder: Path) -> list[dict]:
    """Of the first notifications with a fault: everything any log knows of them, in the order of time."""
    return [
        {"id": str(id_), "faults": faults, "story": _story(id_, database, folder)}
        for id_, faults in list(found.faults.items())[:TOLD]
    ]


def _story(id_: UUID, database: Query, folder: Path) -> list[str]:
    where = f"WHERE notification_id = '{id_}'"
    lines = [
        (at.timestamp(), f"event {type_} {reason} {data}")
        for at, type_, reason, data in database(
            f"SELECT at, type, reason, data FROM gateway_notificationevent {where} ORDER BY id"  # noqa: S608
        )
    ]
    for number, outcome, began, ended, detail, token in database(
        "SELECT number, outcome, started_at, ended_at, detail, claim_token FROM gateway_deliveryattempt "  # noqa: S608
        f"{where} ORDER BY started_at"
    ):
        lines.append((began.timestamp(), f"attempt {number} begins, token {token}"))
        if ended:
            lines.append((ended.timestamp(), f"attempt {number} is called {outcome} {detail}"))
    lines += [(line["time"], "the mail server takes it") for line in _log(folder / "provider.log", id_)]
    row = database(f"SELECT * FROM gateway_notification WHERE id = '{id_}'")  # noqa: S608  our own id
    story = [f"{moment:.3f} {words}" for moment, words in sorted(lines)]
    told = [json.dumps(line) for line in _log(folder / "client.log", id_)]
    return [f"row: {row}", *(f"client: {line}" for line in told), *story, *_processes(folder, id_)]


def _log(path: Path, id_: UUID) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines() if str(id_) in line]


def _processes(folder: Path, id_: UUID) -> list[str]:
    names = [str(path) for path in folder.glob("*.log") if path.name not in ("provider.log", "client.log")]
    found = subprocess.run(["grep", "-h", str(id_), *names], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()[:20]
