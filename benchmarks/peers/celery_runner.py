"""Measures Celery from outside: workers on our RabbitMQ, our sink, a queue of its own that is removed again."""

import json
import os
import time

from benchmarks.child_processes import ChildFailed, child, run, wait_until
from benchmarks.peers.environment import PYTHON, require_peers
from benchmarks.surroundings import POSTGRESQL, RABBITMQ, Surroundings

#: Nothing finishes for so long: something is wrong. Seconds.
STUCK_AFTER = 60


def end_to_end(ours: Surroundings, *, sink: int, count: int, keeps_connection: bool) -> dict[str, float]:
    """Enqueue while the workers run; from the first enqueue to the end of the last task."""
    require_peers()
    folder = ours.folder / f"celery-{'kept' if keeps_connection else 'plain'}"
    folder.mkdir()
    environment = os.environ | {
        "PEER_BROKER": RABBITMQ,
        "PEER_QUEUE": f"{ours.broker_prefix}celery",
        "PEER_SMTP_PORT": str(sink),
        "PEER_DATABASE": f"{POSTGRESQL}/postgres",  # named, never asked
        "PEER_FOLDER": str(folder),
        "PEER_KEEPS_CONNECTION": "1" if keeps_connection else "0",
    }
    log, done = folder / "worker.log", folder / "celery-done"
    module = "benchmarks.peers.celery_peer"
    worker = [PYTHON, "-m", "celery", "-A", module, "worker", "--concurrency", "2", "--loglevel", "WARNING"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    try:
        with child(worker, log=log, environment=environment) as process:
            wait_until((folder / "celery-ready").exists, "Celery's worker", process=process, log=log)
            printed = run([PYTHON, "-m", module, "--count", str(count)], environment=environment)
            enqueued = json.loads(printed.splitlines()[-1])
            moved_at, before = time.monotonic(), -1
            while (finished := done.stat().st_size) < count + 1:
                if finished != before:
                    moved_at, before = time.monotonic(), finished
                if time.monotonic() - moved_at > STUCK_AFTER:
                    raise ChildFailed(f"Celery has stopped after {finished} mails:\n{log.read_text()[-4000:]}")
                time.sleep(0.05)
            seconds = done.stat().st_mtime - enqueued["began"]
    finally:
        run([PYTHON, "-m", module, "--remove-queue"], environment=environment)
    return {"per_second": count / seconds, "enqueued_per_second": count / enqueued["seconds"]}
