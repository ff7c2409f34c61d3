"""F2: the whole way against nothing but the hand-over: ready-made messages, smtplib, the same sink."""

import json
import os
from collections.abc import Callable

from benchmarks.child_processes import PYTHON, run
from benchmarks.f1_email_end_to_end import COUNT, end_to_end
from benchmarks.figure import Figure, Row
from benchmarks.platform_under_test import new_installation
from benchmarks.smtp_sinks import fast_sink
from benchmarks.surroundings import Surroundings

PROCESSES = (1, 2)


def measure(ours: Surroundings, size: str, say: Callable[[str], None]) -> Figure:
    """The limit before and after ours, since a machine does not stay the same for minutes."""
    count = COUNT[size]
    with fast_sink(ours.folder) as sink:
        say(f"{2 * count} ready-made messages by smtplib, one connection and two")
        before = [handed_over(sink, 2 * count, processes=each) for each in PROCESSES]
        say(f"{count} notifications end to end")
        with new_installation(ours, sink=sink) as installation:
            whole = end_to_end(installation, count)
        say(f"{2 * count} ready-made messages again")
        after = [handed_over(sink, 2 * count, processes=each) for each in PROCESSES]
    one, two = ((earlier + later) / 2 for earlier, later in zip(before, after, strict=True))
    limit = max(one, two)
    return Figure(
        name="f2_against_the_limit",
        title="F2 Against the limit",
        size=size,
        rows=[
            Row(what="smtplib, ready-made messages, one connection", measured=one, unit="/s"),
            Row(what="smtplib, ready-made messages, two processes", measured=two, unit="/s"),
            Row(what="ours, accepted → sent", measured=whole["per_second"], unit="/s"),
            Row(what="ours to the limit", measured=whole["per_second"] / limit, unit="×", at_least=1 / 3),
        ],
        notes=[
            "The limit is what one process or two, whichever is more, hand over that do nothing but smtplib.sendmail "
            "of a ready-made message on an open connection, into the same smtp-sink; measured before and after ours."
        ],
        details={"before": before, "after": after, "ours": whole},
    )


def handed_over(sink: int, count: int, *, processes: int) -> float:
    """Messages a second."""
    command = [PYTHON, "-m", "benchmarks.raw_smtplib", str(sink), "--count", str(count), "--processes", str(processes)]
    return float(json.loads(run(command, environment=os.environ))["per_second"])
