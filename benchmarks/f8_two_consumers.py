"""F8: two consumer processes against one, when neither sink nor database is the limit."""

from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.f1_email_end_to_end import drained
from benchmarks.figure import Figure, Row
from benchmarks.platform_under_test import Installation, new_installation
from benchmarks.smtp_sinks import fast_sink, slow_sink
from benchmarks.surroundings import Surroundings

COUNT = {"quick": 2_000, "full": 10_000}
#: How long the slow sink takes over each message: what a provider on the net takes at least.
DELAY_MS = 5


def measure(ours: Surroundings, size: str, say: Callable[[str], None]) -> Figure:
    """With a sink that takes its time, as providers do, and once more with one that does not."""
    count, rates = COUNT[size], {}
    with ExitStack() as stack:
        fast = stack.enter_context(fast_sink(ours.folder))
        slow = stack.enter_context(slow_sink(ours.folder, delay_ms=DELAY_MS))
        installation = stack.enter_context(new_installation(ours, sink=fast))
        for name, sink, processes in (("slow", slow, 1), ("slow", slow, 2), ("fast", fast, 1), ("fast", fast, 2)):
            say(f"{count} into the {name} sink, consumer processes: {processes}")
            copy = installation.copy(f"{name}_{processes}", sink=sink)
            rates[name, processes] = rate(copy, count, processes)
    return Figure(
        name="f8_two_consumers",
        title="F8 Two consumer processes",
        size=size,
        rows=[
            Row(what=f"one, sink takes {DELAY_MS} ms", measured=rates["slow", 1], unit="/s"),
            Row(what=f"two, sink takes {DELAY_MS} ms", measured=rates["slow", 2], unit="/s"),
            Row(what="two to one", measured=rates["slow", 2] / rates["slow", 1], unit="×", at_least=1.7),
            Row(what="one, fast sink", measured=rates["fast", 1], unit="/s"),
            Row(what="two, fast sink", measured=rates["fast", 2], unit="/s"),
            Row(what="two to one, fast sink", measured=rates["fast", 2] / rates["fast", 1], unit="×"),
        ],
        notes=[
            f"{count} notifications that wait already, one sender thread a process, from the moment all of them run to "
            f"the last recorded outcome. A sink that takes {DELAY_MS} ms over each message leaves processor to spare; "
            "into the fast one the cores, which PostgreSQL, relay and sink share, are the limit: no goal there."
        ],
        details={f"{name}_{processes}": value for (name, processes), value in rates.items()},
    )


def rate(copy: Installation, count: int, processes: int) -> float:
    """Notifications sent a second by so many processes, work waiting for them all the time."""
    accepted = copy.inside("submit", "--count", count)
    sent, seconds = drained(copy, since=accepted["began"], processes=processes)
    copy.drop()
    return sent / seconds
