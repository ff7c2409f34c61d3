"""Celery as many run it: a task renders the templates and sends by EmailMultiAlternatives. Two worker processes.

`celery -A benchmarks.peers.celery_peer worker`, and `python -m benchmarks.peers.celery_peer --count N` to enqueue.
Runs in the peers' own environment. Each finished task adds one byte to a file, so that its end is seen at no cost.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import django
from celery import Celery
from celery.signals import worker_ready
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.peer_settings")
django.setup()

from django.core.mail import EmailMultiAlternatives, get_connection  # noqa: E402  Django comes first
from django.template import Context, Template  # noqa: E402

from benchmarks import mail_of_usual_size as mail  # noqa: E402

FOLDER = Path(os.environ["PEER_FOLDER"])
DONE, READY = FOLDER / "celery-done", FOLDER / "celery-ready"
KEEPS_CONNECTION = os.environ.get("PEER_KEEPS_CONNECTION") == "1"
BACKEND = "django.core.mail.backends.smtp.EmailBackend"

app = Celery("peer", broker=os.environ["PEER_BROKER"])
app.conf.update(
    task_queues=[Queue(os.environ["PEER_QUEUE"], durable=True)],
    task_default_queue=os.environ["PEER_QUEUE"],
    task_ignore_result=True,
    worker_enable_remote_control=False,  # no queues with names of their own on a shared broker
)
subject, text, html = Template(mail.SUBJECT), Template(mail.TEXT), Template(mail.HTML)
kept: dict[str, Any] = {}


@app.task
def send_order(to: str, variables: dict[str, str]) -> None:
    """Render three templates and hand the mail over."""
    words = Context(variables)
    message = EmailMultiAlternatives(
        subject.render(words), text.render(words), mail.SENDER, [to], connection=connection()
    )
    message.attach_alternative(html.render(words), "text/html")
    message.send()
    with DONE.open("ab", buffering=0) as done:
        done.write(b".")


def connection() -> Any:
    """A new one for each mail, as Django does by itself; or one that is kept open by each process."""
    if not KEEPS_CONNECTION:
        return get_connection(BACKEND)
    if "connection" not in kept:
        kept["connection"] = get_connection(BACKEND)
        kept["connection"].open()
    return kept["connection"]


@worker_ready.connect
def tell(**_: Any) -> None:
    """The harness waits for this."""
    READY.touch()


def enqueue(count: int) -> dict[str, float]:
    """One message for each mail, on one connection."""
    send_order.delay(mail.address(0), mail.variables(0))  # connects; not counted
    while not DONE.exists():
        time.sleep(0.01)
    began, at = time.perf_counter(), time.time()
    for number in range(count):
        send_order.delay(mail.address(number % 1_000), mail.variables(number))
    return {"began": at, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int)
    parser.add_argument("--remove-queue", action="store_true")
    options = parser.parse_args()
    if options.remove_queue:
        with app.connection_for_write() as opened:
            opened.default_channel.queue_delete(os.environ["PEER_QUEUE"])
            opened.default_channel.exchange_delete(os.environ["PEER_QUEUE"])
    else:
        # The task is that of the module the workers have loaded, not of __main__.
        from benchmarks.peers import celery_peer

        print(json.dumps(celery_peer.enqueue(options.count)))
