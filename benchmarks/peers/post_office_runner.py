"""Measures django-post_office from outside: a database of its own, its processes, our sink."""

import json
import os

from benchmarks.child_processes import run
from benchmarks.peers.environment import PYTHON, require_peers
from benchmarks.surroundings import Surroundings

#: More than its default of 100: it starts its processes anew for every batch, and we show it at its best.
BATCH_SIZE = 1_000


def end_to_end(ours: Surroundings, *, sink: int, count: int) -> dict[str, float]:
    """Enqueue all, then send all at once; the sum of both is end to end."""
    require_peers()
    database = ours.new_database("post_office")
    environment = os.environ | {
        "PEER_DATABASE": database,
        "PEER_SMTP_PORT": str(sink),
        "PEER_BATCH_SIZE": str(BATCH_SIZE),
        "DJANGO_SETTINGS_MODULE": "benchmarks.peers.peer_settings",
        "PYTHONPATH": ".",
    }
    run([PYTHON, "-m", "django", "migrate", "--verbosity", "0"], environment=environment)

    def step(name: str) -> float:
        command = [PYTHON, "-m", "benchmarks.peers.post_office_peer", name, "--count", str(count)]
        return float(json.loads(run(command, environment=environment).splitlines()[-1])["seconds"])

    enqueued, sent = step("enqueue"), step("drain")
    ours.drop_database(database)
    return {
        "per_second": count / (enqueued + sent),
        "enqueued_per_second": count / enqueued,
        "sent_per_second": count / sent,
    }
