"""F5: how long a notification of high priority takes to be sent while many of low priority wait."""

import statistics
from collections.abc import Callable

from benchmarks.figure import Figure, Row
from benchmarks.platform_under_test import Installation, consumers, new_installation, relay_and_sweeper, web
from benchmarks.smtp_sinks import fast_sink
from benchmarks.surroundings import Surroundings
from benchmarks.web_load import load

WAITING = {"quick": 20_000, "full": 100_000}
#: High ones, and how many of them a second.
SAMPLES = 100
RATE = {"quick": 10.0, "full": 2.0}
LOW, HIGH = 2, 8


def measure(ours: Surroundings, size: str, say: Callable[[str], None]) -> Figure:
    """On an idle system, then while the low ones are sent."""
    with fast_sink(ours.folder) as sink, new_installation(ours, sink=sink) as installation:
        say(f"{SAMPLES} of high priority on an idle system")
        idle = sent_after(installation.copy("idle"), waiting=0, rate=RATE[size])
        say(f"{SAMPLES} of high priority while {WAITING[size]} of low priority wait")
        loaded = sent_after(installation.copy("loaded"), waiting=WAITING[size], rate=RATE[size])
    return Figure(
        name="f5_priority",
        title="F5 Priority",
        size=size,
        rows=[
            Row(what="idle: accepted → sent, p50", measured=idle["p50"], unit="ms"),
            Row(what="idle: accepted → sent, p99", measured=idle["p99"], unit="ms"),
            Row(what=f"{WAITING[size]:,} low ones wait: p50", measured=loaded["p50"], unit="ms"),
            Row(
                what=f"{WAITING[size]:,} low ones wait: p99",
                measured=loaded["p99"],
                unit="ms",
                at_most=1_000,
                floor=1_000,
            ),
        ],
        notes=[
            f"{loaded['count']:.0f} notifications of high priority by POST, {RATE[size]:.0f} a second; from the commit "
            "of the acceptance to the recorded outcome, by the database's clock. Only those count that were accepted "
            f"while low ones still waited: they went from {loaded['low_before']:.0f} to {loaded['low_after']:.0f}."
        ],
        details={"idle": idle, "loaded": loaded},
    )


def sent_after(copy: Installation, *, waiting: int, rate: float) -> dict[str, float]:
    """Percentiles of the time from accepted to sent, in milliseconds."""
    low = copy.inside("submit", "--count", waiting, "--priority", LOW) if waiting else None
    with relay_and_sweeper(copy), web(copy) as port, copy.ledger() as ledger, consumers(copy, processes=2):
        load(port, rate=4, seconds=2, key=copy.api_key, priority="normal")  # everybody has done it once
        began = ledger.now()
        before = waiting - ledger.sent(since=low["began"], priority=LOW) if low else 0
        load(port, rate=rate, seconds=SAMPLES / rate, key=copy.api_key, priority="high")
        after = waiting - ledger.sent(since=low["began"], priority=LOW) if low else 0
        ledger.wait_until_all_sent(since=began, priority=HIGH)
        waits = ledger.waits(since=began, priority=HIGH, while_open=LOW if low and after == 0 else None)
    copy.drop()
    if len(waits) < 20:
        raise SystemExit(f"Only {len(waits)} samples while low ones waited; measure with more of them: --size full.")
    parts = statistics.quantiles(waits, n=100, method="inclusive")
    return {"p50": parts[49], "p99": parts[98], "worst": max(waits), "count": len(waits)} | {
        "low_before": before,
        "low_after": after,
    }
