"""Measures how fast the platform is, beside its peers, on this machine and these servers.

Starts the platform's real processes on a PostgreSQL database, a RabbitMQ prefix and a Redis database of their own, and
takes everything away again, also after Ctrl-C. Writes benchmarks/results/<figure>.json.
"""

import argparse
import importlib
import os
import signal
import sys
import time
from pathlib import Path

from benchmarks import machine, report
from benchmarks.child_processes import PYTHON, run
from benchmarks.figure import Figure
from benchmarks.peers import environment as peers
from benchmarks.smtp_sinks import require_sink
from benchmarks.surroundings import surroundings

FIGURES = {
    "f1": "f1_email_end_to_end",
    "f2": "f2_against_the_limit",
    "f3": "f3_single_submit",
    "f4": "f4_batch_accept",
    "f5": "f5_priority",
    "f6": "f6_push",
    "f7": "f7_growth",
    "f8": "f8_two_consumers",
}
#: Programs that measure one thing by themselves and write their own file.
BY_THEMSELVES = {"f9": "embedded", "mails": "mail_builder", "rendering": "rendering", "services": "mail_services"}
ALL = (*FIGURES, *BY_THEMSELVES)
EXAMPLES = """examples:
  make bench                             all figures, small, about twelve minutes
  make bench ARGS="f1 f4 --size full"    two figures, large
  make bench ARGS="profile"              where the time goes: var/profiles/*.txt

servers, by environment (defaults are those of this machine):
  BENCH_DATABASE_URL  postgres://postgres@127.0.0.1:5432    the role creates databases
  BENCH_RABBITMQ_URL  amqp://guest:guest@127.0.0.1:5672/
  BENCH_REDIS_URL     redis://127.0.0.1:6379/15             must be empty; is emptied
  BENCH_PORT          21600                                 first of 21 ports
  BENCH_PREFIX        bench                                 begins all names on the servers
"""


def main() -> None:
    """Exit 0 when everything was measured, whatever the figures say; 1 when something could not be; 2 for usage."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", type=figure_name, metavar="FIGURE", help=f"{', '.join(ALL)}, profile")
    parser.add_argument("--size", choices=["quick", "full"], default="quick")
    parser.add_argument("--profiles", type=Path, default=Path("var/profiles"), help="folder for profiles")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: what was started is stopped
    if "profile" in options.what:
        profile(options.profiles)
        options.what.remove("profile")
        if not options.what:
            return
    sys.exit(measure(options.what or list(ALL), options.size))


def figure_name(text: str) -> str:
    """An argument; raises what argparse shows as a usage error. (With `choices` it refuses the absence of all.)"""
    if text not in (*ALL, "profile"):
        raise argparse.ArgumentTypeError(f"{text!r} is no figure; there are {', '.join(ALL)} and profile.")
    return text


def profile(folder: Path) -> None:
    """Tables of where the time goes; they are no figures and are not kept."""
    from benchmarks.hot_spots import profile_everything

    with surroundings() as ours:
        profile_everything(ours, folder)


def measure(names: list[str], size: str) -> int:
    """One figure after the other; one that cannot be measured does not stop the others. Returns the exit code."""
    require_sink()
    described = machine.describe()
    say_how_busy("load average at the start", described["load_average_at_start"], described["cores"] * machine.BUSY)
    failed = []
    for name in names:
        began = time.monotonic()
        print(f"\n{FIGURES.get(name) or BY_THEMSELVES[name]} ({size})", flush=True)
        busy = machine.busy_share()
        say_how_busy("share of the cores in use by others", busy, machine.BUSY)
        try:
            if name in FIGURES:
                figure = one_figure(FIGURES[name], size)
                figure.machine = described | {"used_by_others_before": busy, "peers": peers.versions()}
                path = figure.save()
                print(f"\n{report.table_of(report.read(path))}\n  {path}")
            else:
                print(run([PYTHON, "-m", f"benchmarks.{BY_THEMSELVES[name]}"], environment=os.environ))
        except SystemExit as trouble:
            if not isinstance(trouble.code, str):  # Ctrl-C and signals end the run
                raise
            print(f"  NOT MEASURED: {trouble}", flush=True)
            failed.append(name)
        print(f"  {time.monotonic() - began:.0f} s", flush=True)
    report.write_page()
    print("\ndocs/benchmarks.md has the new tables.")
    if failed:
        print(f"Not measured: {', '.join(failed)}.")
    return 1 if failed else 0


def one_figure(module: str, size: str) -> Figure:
    """Measure in surroundings of its own."""
    measured = importlib.import_module(f"benchmarks.{module}").measure
    with surroundings() as ours:
        figure: Figure = measured(ours, size, say)
    return figure


def say(words: str) -> None:
    """What is being done now."""
    print(f"  {time.strftime('%H:%M:%S')} {words} …", flush=True)


def say_how_busy(what: str, share: float, most: float) -> None:
    """A figure of a busy machine says little, and the reader must know."""
    warning = "" if share <= most else "  *** BUSY: these figures say little, measure again on a quiet machine ***"
    print(f"  {what}: {share:.2f}{warning}", flush=True)


if __name__ == "__main__":
    main()
