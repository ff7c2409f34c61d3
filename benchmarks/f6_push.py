"""F6: pushes to a stand-in for Firebase: our sender against `firebase_admin.messaging.send_each`, in turns."""

import json
import os
from collections.abc import Callable

from benchmarks.child_processes import PYTHON, run
from benchmarks.figure import Figure, Row
from benchmarks.surroundings import Surroundings

COUNT = {"quick": 1_000, "full": 5_000}
#: Whatever drifts on the machine drifts over both.
ORDER = ("send_each", "ours", "ours", "send_each")


def measure(ours: Surroundings, size: str, say: Callable[[str], None]) -> Figure:
    """The stand-in is a process of its own, and each sender too."""
    rates: dict[str, list[float]] = {"ours": [], "send_each": []}
    for name in ORDER:
        say(f"{COUNT[size]} pushes by {name}")
        rates[name].append(handed_over(name, COUNT[size]))
    mine, theirs = (sum(rates[name]) / len(rates[name]) for name in ("ours", "send_each"))
    return Figure(
        name="f6_push",
        title="F6 Push",
        size=size,
        rows=[
            Row(what="firebase_admin.messaging.send_each, 500 at a time", measured=theirs, unit="/s"),
            Row(what="ours, one sender thread", measured=mine, unit="/s"),
            Row(what="ours to send_each", measured=mine / theirs, unit="×", at_least=3.0, floor=1.5),
        ],
        notes=[
            "The same words to as many tokens, from words to answers: building, sending, reading. Both speak HTTP/1.1 "
            "without encryption to a stand-in on this machine that answers at once; access tokens are there before the "
            "clock starts. In the order library, ours, ours, library."
        ],
        details={"rates": rates},
    )


def handed_over(name: str, count: int) -> float:
    """Pushes a second."""
    command = [PYTHON, "-m", "benchmarks.push_senders", name, "--count", str(count)]
    return float(json.loads(run(command, environment=os.environ))["per_second"])
