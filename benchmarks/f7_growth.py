"""F7: what millions of old notifications in the tables cost."""

import statistics
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.f1_email_end_to_end import while_consumers_run
from benchmarks.figure import Figure, Row
from benchmarks.old_notifications import add_old_ones
from benchmarks.platform_under_test import Installation, consumers, new_installation, relay_and_sweeper
from benchmarks.smtp_sinks import fast_sink
from benchmarks.surroundings import Surroundings

OLD = {"quick": 500_000, "full": 5_000_000}
FEW = 10_000
COUNT = {"quick": 2_500, "full": 20_000}
#: Few, many, many, few: whatever drifts on the machine drifts over both.
ORDER = ("few", "many", "many", "few")


def measure(ours: Surroundings, size: str, say: Callable[[str], None]) -> Figure:
    """Two databases that differ in nothing else, measured in turns."""
    rates: dict[str, list[float]] = {"few": [], "many": []}
    with ExitStack() as stack:
        sink = stack.enter_context(fast_sink(ours.folder))
        origin = stack.enter_context(new_installation(ours, sink=sink))
        copies = {}
        for name, old in (("few", FEW), ("many", OLD[size])):
            say(f"{old} old notifications are written")
            copies[name] = origin.copy(name)
            copies[name].inside("submit", "--count", 0)  # one, as the pattern of all
            with copies[name].ledger() as ledger:
                add_old_ones(ledger, old)
        for name in ORDER:
            say(f"{COUNT[size]} end to end beside {OLD[size] if name == 'many' else FEW} old ones")
            rates[name].append(end_to_end(copies[name], COUNT[size]))
        with copies["many"].ledger() as ledger:
            gigabytes = ledger.ask("SELECT pg_database_size(current_database()) / 1e9")
    few, many = statistics.mean(rates["few"]), statistics.mean(rates["many"])
    return Figure(
        name="f7_growth",
        title="F7 Growth",
        size=size,
        rows=[
            Row(what=f"beside {FEW:,} old notifications", measured=few, unit="/s"),
            Row(what=f"beside {OLD[size]:,} old notifications", measured=many, unit="/s"),
            Row(what="many to few", measured=many / few, unit="×", at_least=0.8),
        ],
        notes=[
            f"Accepted → sent as in F1, {COUNT[size]} at a time, in the order few, many, many, few. The old ones have "
            f"attempts and events as real ones do, spread over 60 days and 1,000 people; the database "
            f"with many takes {gigabytes:.1f} GB."
        ],
        details={"rates": rates},
    )


def end_to_end(copy: Installation, count: int) -> float:
    """Notifications a second."""
    with relay_and_sweeper(copy), consumers(copy, processes=2):
        return while_consumers_run(copy, count)["per_second"]
