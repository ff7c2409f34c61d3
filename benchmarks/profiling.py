"""`python -m benchmarks.profiling consumer|submit|batch [--count N] [--out FILE]`: where the time goes, by own time.

Runs the real code on the settings in the environment, under cProfile: everything takes about twice as long, so only
the proportions count. It counts processor time of the thread, so that a busy machine does not falsify it; what was
waited for stands in the first line. The harness calls it: make bench ARGS="profile".
"""

import argparse
import cProfile
import io
import pstats
import resource
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import inside  # sets Django up
from consumers.brokers import choice
from consumers.loop_process import Limits, LoopProcess
from consumers.management.commands import run_email_consumer
from consumers.worker import BATCH
from gateway.models import Notification

SHOWN = 25


def profile_consumer(count: int) -> str:
    """Drain what waits with the very loop of run_email_consumer, in this thread; a relay must run beside."""
    command = run_email_consumer.Command()
    options = {"name": "profiled", "batch": BATCH, "max_messages": count, "once": False}
    process = LoopProcess(command.role.name, limits=Limits(messages=count))
    (broker,) = choice.brokers_for("email", threads=1, prefetch=2 * BATCH, wake=process.stopping)
    breakers = command._breakers(options["name"])
    loop = command._loop(process, broker, breakers, options)
    return profiled(loop, what="consumer", count=lambda: process.progress.handed_over)


def profile_submit(count: int) -> str:
    """Accept so many, one by one, as POST /notifications/ does after it has read the body."""
    from gateway.submission import submit_notification

    wanted = [inside.request(f"profile-{time.time_ns()}", number, 5) for number in range(count + 1)]
    submit_notification(wanted.pop(), client=inside.CLIENT, mode="live")

    def all_of_them() -> None:
        for each in wanted:
            submit_notification(each, client=inside.CLIENT, mode="live")

    return profiled(all_of_them, what="submit, one by one", count=lambda: count)


def profile_batch(count: int) -> str:
    """Accept so many in batches."""
    wanted = [inside.request(f"profile-{time.time_ns()}", number, 5) for number in range(count + 1)]
    inside.accept([wanted.pop()])

    def all_of_them() -> None:
        for first in range(0, len(wanted), inside.BATCH):
            inside.accept(wanted[first : first + inside.BATCH])

    return profiled(all_of_them, what="submit in batches", count=lambda: count)


def profiled(work: Callable[[], object], *, what: str, count: Callable[[], int]) -> str:
    """Run `work` in this thread under the profiler."""
    profile = cProfile.Profile(time.thread_time)
    process_before, thread_before, before = time.process_time(), time.thread_time(), time.perf_counter()
    profile.runcall(work)
    wall, done = time.perf_counter() - before, max(count(), 1)
    cpu, own = time.process_time() - process_before, time.thread_time() - thread_before
    text = io.StringIO()
    stats = pstats.Stats(profile, stream=text)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    text.write(
        f"{what}: {done} notifications in {wall:.1f} s under the profiler; {wall / done * 1000:.2f} ms each, of which "
        f"this thread worked {own / done * 1000:.2f} ms, other threads {(cpu - own) / done * 1000:.2f} ms, and "
        f"{(wall - own) / done * 1000:.2f} ms it waited. {memory} MB.\n"
    )
    stats.sort_stats("tottime").print_stats(SHOWN)
    text.write("\nThe same, by time including what is called:\n")
    stats.sort_stats("cumulative").print_stats(2 * SHOWN)
    return text.getvalue().replace(str(Path(__file__).resolve().parent.parent) + "/", "")


PROFILES = {"consumer": profile_consumer, "submit": profile_submit, "batch": profile_batch}


def main() -> None:
    """Profile one of them and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=PROFILES)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    Notification.objects.exists()  # the connection is there
    table = PROFILES[options.what](options.count)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
