"""F4: accepting in batches, against Django's bulk_create of the very same rows."""

import statistics
from collections.abc import Callable

from benchmarks.figure import Figure, Row
from benchmarks.platform_under_test import new_installation
from benchmarks.surroundings import Surroundings

COUNT = {"quick": 5_000, "full": 50_000}
ROUNDS = 3
#: Nothing is sent here.
NO_SINK = 9


def measure(ours: Surroundings, size: str, say: Callable[[str], None]) -> Figure:
    """In turns, several times; the middle one counts."""
    count = COUNT[size]
    accepted, written = [], []
    with new_installation(ours, sink=NO_SINK) as installation:
        for number in range(1, ROUNDS + 1):
            say(f"round {number} of {ROUNDS}: {count} accepted, {count} written by bulk_create")
            accepted.append(installation.inside("submit", "--count", count)["per_second"])
            written.append(installation.inside("bulk-create", "--count", count)["per_second"])
    ours_rate, plain = statistics.median(accepted), statistics.median(written)
    return Figure(
        name="f4_batch_accept",
        title="F4 Batch accept",
        size=size,
        rows=[
            Row(what="accepted by the use case", measured=ours_rate, unit="/s", at_least=5_000, floor=3_000),
            Row(what="bulk_create of the same rows", measured=plain, unit="/s"),
            Row(what="ours to bulk_create", measured=ours_rate / plain, unit="×"),
        ],
        notes=[
            f"{count} notifications with request ids in batches of 500, one process, nothing else running; the middle "
            f"of {ROUNDS} rounds. Accepting checks people, preferences, template and variables and stores the answer; "
            "bulk_create only writes the rows that came of it once more."
        ],
        details={"accepted": accepted, "bulk_create": written},
    )
