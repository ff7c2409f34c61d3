"""F3: one notification per POST: how many a second, and how long one waits while a backlog drains."""

from collections.abc import Callable

from benchmarks.bare_view.bare_runner import bare_view
from benchmarks.figure import Figure, Row
from benchmarks.platform_under_test import Installation, consumers, new_installation, relay_and_sweeper, web
from benchmarks.smtp_sinks import fast_sink
from benchmarks.surroundings import Surroundings
from benchmarks.web_load import load

CONNECTIONS = 8
BACKLOG = 10_000
#: Seconds of each run.
SUSTAINED = {"quick": 8, "full": 30}
PACED = {"quick": 12, "full": 30}
LOW = 2
RATES = (100, 200)
#: Milliseconds: (goal, floor) at a rate.
GOALS = {(200, "p50"): (15, None), (200, "p99"): (100, None), (100, "p99"): (100, 100)}


def measure(ours: Surroundings, size: str, say: Callable[[str], None]) -> Figure:
    """The bare view first, then ours: alone, with everything running, and paced under a backlog."""
    seconds, paced = SUSTAINED[size], PACED[size]
    say(f"a bare view, {CONNECTIONS} connections, {seconds} s")
    with bare_view(ours) as port:
        bare = load(port, "/orders/", warm_up=True, connections=CONNECTIONS, seconds=seconds)
    with fast_sink(ours.folder) as sink, new_installation(ours, sink=sink) as installation:
        say(f"ours without consumers, {seconds} s")
        alone = sustained(installation.copy("alone"), seconds, with_consumers=False)
        say(f"ours with consumers that send it all, {seconds} s")
        everything = sustained(installation.copy("everything"), seconds, with_consumers=True)
        rate = RATES[-1]
        say(f"{rate}/s while {BACKLOG} wait, {paced} s, niceness as it is by itself")
        usual = under_backlog(installation.copy("paced_usual"), rate, paced)
        # As docs/how_to/run_in_production.md advises where web and consumers share one machine.
        installation = installation.with_settings(CONSUMER_NICENESS="20")
        under = {}
        for rate in RATES:
            say(f"{rate}/s while {BACKLOG} wait, {paced} s")
            under[rate] = under_backlog(installation.copy(f"paced_{rate}"), rate, paced)
    return Figure(
        name="f3_single_submit",
        title="F3 Single submit by HTTP",
        size=size,
        rows=[
            Row(what="sustained, no consumers", measured=alone["per_second"], unit="/s", at_least=400, floor=250),
            Row(what="sustained, everything sent meanwhile", measured=everything["per_second"], unit="/s"),
            Row(what="a bare DRF view", measured=bare["per_second"], unit="/s"),
            Row(what="ours to the bare view", measured=alone["per_second"] / bare["per_second"], unit="×"),
            *(_row(rate, part, under[rate]) for rate in RATES for part in ("p50", "p95", "p99")),
            Row(what=f"{RATES[-1]}/s, niceness as it is by itself, p99", measured=usual["p99"], unit="ms"),
        ],
        notes=[
            f"Two workers of four threads each, {CONNECTIONS} connections; the load generator, PostgreSQL and all else "
            "share the cores. Paced: an open loop in which each request is timed from the moment it was due, while two "
            f"consumers with CONSUMER_NICENESS=20 work off {BACKLOG} notifications of low priority. The bare view has "
            "no caller to check, no person, no template and no decision: it validates and inserts one row.",
            *_backlog_notes(under),
            f"With the niceness that consumers have by themselves, at {RATES[-1]}/s, "
            f"from {usual['backlog_before']:.0f} to {usual['backlog_after']:.0f}.",
        ],
        details={
            "bare": bare,
            "alone": alone,
            "everything": everything,
            "backlog": {str(k): v for k, v in under.items()},
            "backlog_usual": usual,
        },
    )


def sustained(copy: Installation, seconds: int, *, with_consumers: bool) -> dict[str, float]:
    """As fast as the answers come."""
    with relay_and_sweeper(copy), web(copy) as port:
        arguments = {"warm_up": True, "connections": CONNECTIONS, "seconds": seconds, "key": copy.api_key}
        if not with_consumers:
            found = load(port, **arguments)
        else:
            with consumers(copy, processes=2):
                found = load(port, **arguments)
    copy.drop()
    return found


def under_backlog(copy: Installation, rate: int, seconds: int) -> dict[str, float]:
    """At a fixed rate while consumers work off what waits; says whether the backlog lasted."""
    accepted = copy.inside("submit", "--count", BACKLOG, "--priority", LOW)
    with relay_and_sweeper(copy), web(copy) as port, copy.ledger() as ledger:
        load(port, warm_up=True, seconds=1, key=copy.api_key)
        with consumers(copy, processes=2):
            before = BACKLOG - ledger.sent(since=accepted["began"], priority=LOW)
            found = load(port, rate=rate, seconds=seconds, key=copy.api_key)
            after = BACKLOG - ledger.sent(since=accepted["began"], priority=LOW)
    copy.drop()
    return found | {"backlog_before": before, "backlog_after": after}


def _row(rate: int, part: str, found: dict[str, float]) -> Row:
    goal, floor = GOALS.get((rate, part), (None, None))
    return Row(what=f"{rate}/s under backlog, {part}", measured=found[part], unit="ms", at_most=goal, floor=floor)


def _backlog_notes(under: dict[int, dict[str, float]]) -> list[str]:
    """The reader must know when the backlog was gone before the measurement was."""
    return [
        f"At {rate}/s the backlog went from {found['backlog_before']:.0f} to {found['backlog_after']:.0f}."
        for rate, found in under.items()
    ]
