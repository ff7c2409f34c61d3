"""Where the time goes: profiles of one consumer over a drain, and of accepting, on the real servers."""

import os
from pathlib import Path

from benchmarks.child_processes import PYTHON, run
from benchmarks.platform_under_test import new_installation, relay_and_sweeper
from benchmarks.smtp_sinks import fast_sink
from benchmarks.surroundings import Surroundings

#: What is profiled, and over how many notifications.
PROFILES = {"consumer": 3_000, "submit": 1_000, "batch": 10_000}


def profile_everything(ours: Surroundings, folder: Path) -> None:
    """One table for each, in files of `folder`."""
    with fast_sink(ours.folder) as sink, new_installation(ours, sink=sink) as installation:
        for what, count in PROFILES.items():
            print(f"profile of {what}, {count} notifications …", flush=True)
            out = folder / f"profile_{what}.txt"
            command = [PYTHON, "-m", "benchmarks.profiling", what, "--count", str(count), "--out", str(out)]
            if what == "consumer":
                installation.inside("submit", "--count", count + 1)
                with relay_and_sweeper(installation):
                    run(command, environment=installation.environment)
            else:
                run(command, environment=installation.environment)
            print(f"  {out.read_text(encoding='utf-8').splitlines()[0]}\n  the rest is in {os.path.relpath(out)}")
