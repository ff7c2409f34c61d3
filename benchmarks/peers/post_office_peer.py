"""`python -m benchmarks.peers.post_office_peer enqueue|drain`: django-post_office as its documentation shows it.

Runs in the peers' own environment and prints one line of JSON.
"""

import argparse
import json
import os
import tempfile
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.peer_settings")
django.setup()

from post_office.mail import send_many, send_queued_mail_until_done  # noqa: E402  Django comes first
from post_office.models import STATUS, Email, EmailTemplate  # noqa: E402

from benchmarks import mail_of_usual_size as mail  # noqa: E402

BATCH = 500


def enqueue(count: int) -> dict[str, float]:
    """In batches, from one stored template."""
    template, _ = EmailTemplate.objects.get_or_create(
        name="order", defaults={"subject": mail.SUBJECT, "content": mail.TEXT, "html_content": mail.HTML}
    )
    wanted = [
        {
            "recipients": mail.address(number % 1_000),
            "sender": mail.SENDER,
            "template": template,
            "context": mail.variables(number),
        }
        for number in range(count)
    ]
    began = time.perf_counter()
    for first in range(0, count, BATCH):
        send_many(wanted[first : first + BATCH])
    return {"seconds": time.perf_counter() - began}


def drain(count: int) -> dict[str, float]:
    """What `manage.py send_queued_mail --processes 2` does, without the time to start Python."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        send_queued_mail_until_done(f"{folder}/lock", processes=2)
        seconds = time.perf_counter() - began
    if (sent := Email.objects.filter(status=STATUS.sent).count()) < count:
        raise SystemExit(f"Only {sent} of {count} were sent.")
    return {"seconds": seconds}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["enqueue", "drain"])
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    print(json.dumps({"enqueue": enqueue, "drain": drain}[options.step](options.count)))
