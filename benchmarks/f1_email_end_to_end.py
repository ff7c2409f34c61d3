"""F1: e-mails end to end, from the batch that is accepted to `sent` in PostgreSQL, and what the peers do."""

from collections.abc import Callable
from typing import Any

from benchmarks.figure import Figure, Row
from benchmarks.peers import celery_runner, post_office_runner
from benchmarks.platform_under_test import Installation, consumers, new_installation, relay_and_sweeper
from benchmarks.processor_time import microseconds_each, seconds_by_kind
from benchmarks.smtp_sinks import fast_sink
from benchmarks.surroundings import Surroundings

COUNT = {"quick": 5_000, "full": 20_000}
#: Sent before anything counts: processes have loaded and connected what they keep.
WARM_UP = 300


def measure(ours: Surroundings, size: str, say: Callable[[str], None]) -> Figure:
    """Ours, then the peers, on the same servers and into the same sink."""
    count = COUNT[size]
    with fast_sink(ours.folder) as sink:
        with new_installation(ours, sink=sink) as installation:
            say(f"{count} notifications end to end")
            whole = end_to_end(installation, count)
            say(f"{count} accepted first, then sent")
            apart = accept_then_drain(installation, count)
        say(f"django-post_office, {count}")
        office = post_office_runner.end_to_end(ours, sink=sink, count=count)
        say(f"Celery with a connection for each mail, {count}")
        celery = celery_runner.end_to_end(ours, sink=sink, count=count, keeps_connection=False)
        say(f"Celery with a connection that is kept, {count}")
        kept = celery_runner.end_to_end(ours, sink=sink, count=count, keeps_connection=True)
    ours_rate = whole["per_second"]
    return Figure(
        name="f1_email_end_to_end",
        title="F1 E-mail end to end",
        size=size,
        rows=[
            Row(what="accepted → sent, all at once", measured=ours_rate, unit="/s", at_least=1_000, floor=400),
            Row(what="accepting, while others send", measured=whole["accepted_per_second"], unit="/s"),
            Row(what="accepting, alone", measured=apart["accepted_per_second"], unit="/s"),
            Row(what="sending, alone", measured=apart["sent_per_second"], unit="/s"),
            *(
                Row(what=f"processor time each: {kind}", measured=took, unit="µs")
                for kind, took in whole["processor_time"].items()
            ),
            Row(what="django-post_office, end to end", measured=office["per_second"], unit="/s"),
            Row(what="… enqueue (send_many)", measured=office["enqueued_per_second"], unit="/s"),
            Row(what="… send_queued_mail, 2 processes", measured=office["sent_per_second"], unit="/s"),
            Row(what="Celery, end to end, 2 processes", measured=celery["per_second"], unit="/s"),
            Row(what="… with a kept connection", measured=kept["per_second"], unit="/s"),
            Row(
                what="ours to django-post_office",
                measured=ours_rate / office["per_second"],
                unit="×",
                at_least=3,
                floor=1.5,
            ),
            Row(what="ours to Celery", measured=ours_rate / celery["per_second"], unit="×", at_least=4),
            Row(what="ours to Celery with a kept connection", measured=ours_rate / kept["per_second"], unit="×"),
        ],
        notes=[
            f"{count} notifications of 2 kB text and 6 kB HTML with three variables. One process accepts them by "
            "the use case, in batches of 500; two consumer processes, which run already, send into smtp-sink. "
            "Ours commits every status and attempt to PostgreSQL; relay and sweeper run beside. Processor time is "
            "that of all processes of a kind here, from the first accept to the last `sent`, for each of them.",
            "django-post_office: send_many in batches of 500, then at once send_queued_mail --processes 2 with "
            f"BATCH_SIZE {post_office_runner.BATCH_SIZE}; its two halves one after the other.",
            "Celery renders the same templates and sends with EmailMultiAlternatives, workers start before the first "
            "task; it records nothing anywhere and acknowledges before it sends, as it does by default.",
        ],
        details={"ours": whole, "ours_apart": apart, "post_office": office, "celery": celery, "celery_kept": kept},
    )


def end_to_end(installation: Installation, count: int, *, name: str = "whole") -> dict[str, Any]:
    """Accept so many while consumers run; from before the first accept to the last `sent`, by the database's clock."""
    copy = installation.copy(name)
    with relay_and_sweeper(copy), consumers(copy, processes=2):
        found = while_consumers_run(copy, count)
    copy.drop()
    return found


def while_consumers_run(installation: Installation, count: int) -> dict[str, Any]:
    """The same on an installation whose processes run already."""
    with installation.ledger() as ledger:
        ledger.wait_until_done(since=installation.inside("submit", "--count", WARM_UP)["began"])
        before = seconds_by_kind()
        accepted = installation.inside("submit", "--count", count)
        last = ledger.wait_until_done(since=accepted["began"])
        took = microseconds_each(before, seconds_by_kind(), count=count)
        if (sent := ledger.sent(since=accepted["began"])) != count:
            raise SystemExit(f"{sent} of {count} were sent.")
    seconds = last - accepted["began"]
    return {
        "seconds": seconds,
        "per_second": count / seconds,
        "accepted_per_second": accepted["per_second"],
        "processor_time": {"accepting": accepted["processor_seconds"] / count * 1e6, **took},
    }


def accept_then_drain(installation: Installation, count: int) -> dict[str, float]:
    """First only accept, then only send: what each half does when it has the machine to itself."""
    copy = installation.copy("apart")
    accepted = copy.inside("submit", "--count", count)
    sent, seconds = drained(copy, since=accepted["began"], processes=2)
    copy.drop()
    return {"accepted_per_second": accepted["per_second"], "sent_per_second": sent / seconds}


def drained(installation: Installation, *, since: float, processes: int) -> tuple[int, float]:
    """Start consumers on what waits: (how many were sent once all of them ran, and in how many seconds)."""
    beside, senders = relay_and_sweeper(installation), consumers(installation, processes=processes)
    with beside, senders, installation.ledger() as ledger:
        all_run_at = ledger.now()
        ledger.wait_until_done(since=since)
        return ledger.sent_after(all_run_at, since=since)
