"""`python -m benchmarks.report [--check]`: writes the tables of docs/benchmarks.md from benchmarks/results.

Each table stands between two comment lines; the prose around them is written by people and stays as it is. A figure
that has a file and no such place in the page gets one at its end: nothing that was measured is left out.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks.figure import RESULTS
from benchmarks.machine import BUSY

PAGE = RESULTS.parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- table: {name} -->", "<!-- end of table -->"


def read(path: Path) -> dict[str, Any]:
    """One result file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def table_of(result: dict[str, Any]) -> str:
    """The rows, as Markdown that can be read in a terminal too."""
    lines = [["what", "measured", "goal", "ratio", "reached", "floor"]]
    lines += [[row["what"], _number(row["measured"], row["unit"]), *_judgement(row)] for row in result["rows"]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = [
        "| " + " | ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def section_of(name: str, result: dict[str, Any]) -> str:
    """Table, how it was measured, and on what."""
    if name in TABLES_OF_THEIR_OWN:
        return TABLES_OF_THEIR_OWN[name](result)
    notes = " ".join(result["notes"])
    title = f"**{result['title']}** (size: {result['size']})"
    return "\n\n".join([title, table_of(result), notes, _machine(result["machine"])])


def embedded_table(result: dict[str, Any]) -> str:
    """The figures of benchmarks/embedded.py."""
    alone, load, sent = result["submit_alone_ms"], result["submit_under_load_ms"], result["sent_after_202_ms"]
    rate, idle, start = result["all_the_way_per_second"], result["idle"], result["start_seconds"]
    memory, percent = idle["memory_mb"], idle["processor_percent"]
    three = "{p50} / {p95} / {p99} ms".format
    parts = [
        f"| – {part['name']} | {part['memory_mb']} MB, {part['processor_percent']} % | – |"
        for part in idle["processes"]
    ]
    return "\n".join(
        [
            "| embedded mode (SQLite, capture) | measured | goal |",
            "|---|---|---|",
            f"| `run_platform` until the first answer | {start} s | 10 s{_missed(start <= 10)} |",
            f"| the very first time, demo data included | {result['first_start_seconds']} s | – |",
            f"| idle: memory of all processes (PSS) | {memory} MB | 400 MB{_missed(memory <= 400)} |",
            f"| idle: processor, over {idle['seconds']:.0f} s | {percent} % of a core | 3 %{_missed(percent <= 3)} |",
            *parts,
            f"| memory after the work below (PSS) | {result['memory_after_work_mb']} MB | – |",
            f"| idle: `sent` after the 202, p50 / p95 / p99 | {three(**sent)} | – |",
            f"| one client, pauses between: submit p50 / p95 / p99 | {three(**alone)} | p50 under 15 ms |",
            f"| four clients as fast as they can, submit → captured → `sent` recorded | {rate}/s |"
            f" 200/s{_missed(rate >= 200)} |",
            f"| the same: submit p50 / p95 / p99 | {three(**load)} | – |",
            f"| last one sent after the last submit | {result['last_sent_after_seconds']} s | – |",
        ]
    )


def mail_builder_table(result: dict[str, Any]) -> str:
    """The figures of benchmarks/mail_builder.py."""
    took, times = result["milliseconds"], result["times_ours"]
    lines = [f"| {name} | {took[name]} ms | {times[name]} |" for name in took]
    return "\n".join(["| building one mail | processor time | times ours |", "|---|---|---|", *lines])


def rendering_table(result: dict[str, Any]) -> str:
    """The figures of benchmarks/rendering.py."""
    goal = result["goal_milliseconds"]
    lines = [
        f"| {mail} | {way} | {milliseconds:.3f} ms{_missed(milliseconds <= goal) if way == 'ours' else ''} "
        f"| {result['times_ours'][mail][way]:.2f} |"
        for mail, took in result["milliseconds"].items()
        for way, milliseconds in took.items()
    ]
    return "\n".join(["| mail | filled by | processor time | times ours |", "|---|---|---|---|", *lines])


def mail_services_table(result: dict[str, Any]) -> str:
    """The figures of benchmarks/mail_services.py."""
    senders = result["senders"]
    first = next(iter(senders.values()))["per_second"]
    lines = [
        f"| {name} | {each['per_second']:.0f} /s | {first / each['per_second']:.1f} | {each['ms']:.2f} ms |"
        for name, each in senders.items()
    ]
    return "\n".join(
        ["| mails handed over by | rate | ours to it | processor time each |", "|---|---|---|---|", *lines]
    )


#: Benchmarks of one process write files of their own form.
TABLES_OF_THEIR_OWN = {
    "embedded": embedded_table,
    "mail_builder": mail_builder_table,
    "mail_services": mail_services_table,
    "rendering": rendering_table,
}


def rendered(page: str, results: dict[str, dict[str, Any]]) -> str:
    """The page with every table as its result file says; tables without a file are emptied."""
    for name in results:
        if BEGIN.format(name=name) not in page:
            page = f"{page.rstrip()}\n\n{BEGIN.format(name=name)}\n{END}\n"

    def filled(found: re.Match[str]) -> str:
        name = found[1]
        words = section_of(name, results[name]) if name in results else "Not measured yet."
        return f"{BEGIN.format(name=name)}\n\n{words}\n\n{END}"

    places = re.escape(BEGIN).replace(r"\{name\}", r"([a-z0-9_]+)") + ".*?" + re.escape(END)
    return re.sub(places, filled, page, flags=re.DOTALL)


def _judgement(row: dict[str, Any]) -> list[str]:
    goal = row.get("at_least", row.get("at_most"))
    if goal is None:
        return ["", "", "", ""]
    sign = "≥" if "at_least" in row else "≤"
    floor = ""
    if "floor" in row:
        floor = f"{sign} {_number(row['floor'], row['unit'])}: {_yes(row['floor_reached'])}"
    return [f"{sign} {_number(goal, row['unit'])}", f"{row['ratio_to_goal']:.2f}", _yes(row["goal_reached"]), floor]


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "**no**"


def _missed(is_reached: bool) -> str:
    return "" if is_reached else ", **not reached**"


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{unit if unit.startswith('/') else ' ' + unit}"


def _machine(found: dict[str, Any]) -> str:
    others = found["used_by_others_before"]
    warning = " **The machine was busy with other things: these figures say little.**" if others > BUSY else ""
    return (
        f"Measured {found['date'][:10]} at commit {found['commit']} on {found['cores']} cores ({found['processor']}, "
        f"{found['memory_gb']} GB, ten million additions in a Python loop in {found['ten_million_additions_s']} s), "
        f"Python {found['python']}, PostgreSQL {found['postgresql']}, RabbitMQ {found['rabbitmq']}, Redis "
        f"{found['redis']}; load average at the start {found['load_average_at_start']}, {others:.0%} of the cores in "
        f"use by others.{warning}"
    )


#: What `make chaos` leaves has a page of its own: docs/delivery-guarantees.md.
CAMPAIGN = "chaos"


def all_results() -> dict[str, dict[str, Any]]:
    """Every result file of a benchmark, by its name."""
    return {path.stem: read(path) for path in sorted(RESULTS.glob("*.json")) if path.stem != CAMPAIGN}


def write_page() -> None:
    """docs/benchmarks.md as the files say; without a change of its words."""
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), all_results()), encoding="utf-8")


def main() -> None:
    """Exit 0 when the page is as the files say, or has been made so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the page is out of date")
    options = parser.parse_args()
    if not options.check:
        write_page()
    elif (before := PAGE.read_text(encoding="utf-8")) != rendered(before, all_results()):
        sys.exit(f"{PAGE} is not what benchmarks/results say; run python -m benchmarks.report.")


if __name__ == "__main__":
    main()
