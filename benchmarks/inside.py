"""`python -m benchmarks.inside STEP`: what has to run inside the platform's own code. Prints one line of JSON.

The harness starts it as a process of its own, with the settings of the installation that is measured.
"""

import argparse
import json
import os
import time
import uuid
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_site.settings")
django.setup()

from django.conf import settings  # noqa: E402  Django comes first
from django.db import connection  # noqa: E402

from benchmarks import mail_of_usual_size as mail  # noqa: E402
from consumers.brokers import choice  # noqa: E402
from consumers.brokers.rabbitmq import declaration  # noqa: E402
from gateway.batch_submission import submit_batch  # noqa: E402
from gateway.models import Notification  # noqa: E402
from gateway.request import NotificationRequest  # noqa: E402
from gateway.submission import Submitted  # noqa: E402
from templates_app import publishing  # noqa: E402
from templates_app.models import Template  # noqa: E402
from users.api_keys import SCOPES, create_api_key  # noqa: E402
from users.models import User  # noqa: E402

CLIENT, TEMPLATE = "shop", "order_on_its_way"
PEOPLE = 1_000
#: As many as a batch of the API holds.
BATCH = 500


def seed(_: argparse.Namespace) -> dict[str, Any]:
    """People, a published template, a key."""
    User.objects.bulk_create(
        User(external_id=mail.person(n), name=f"Person {n}", email=mail.address(n), password="!")  # noqa: S106  nobody signs in
        for n in range(PEOPLE)
    )
    template = Template.objects.create(code=TEMPLATE, name="Order on its way")
    draft = publishing.new_draft(template)
    publishing.save_variables(
        draft,
        [
            {"name": name, "type": "url" if name == "link" else "string", "required": True, "example": example}
            for name, example in mail.variables(1).items()
        ],
    )
    words = {"subject": mail.SUBJECT, "html": mail.HTML, "text": mail.TEXT}
    publishing.save_content(draft, locale="en", channel="email", words=words)
    publishing.publish(draft)
    _, plain = create_api_key(name="Shop", client=CLIENT, scopes=SCOPES)
    return {"api_key": plain}


def submit(options: argparse.Namespace) -> dict[str, Any]:
    """Accept so many by the use case, in batches; when that began by the database's clock, and how long it took."""
    series = uuid.uuid4().hex[:8]
    wanted = [request(series, number, options.priority) for number in range(options.count + 1)]
    accept([wanted.pop()])  # what is loaded once is loaded; this one is not counted
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        (at,) = cursor.fetchone()
    began, worked = time.perf_counter(), time.process_time()
    for first in range(0, len(wanted), BATCH):
        accept(wanted[first : first + BATCH])
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    rate = options.count / max(seconds, 1e-9)
    return {"began": float(at), "seconds": seconds, "per_second": rate, "processor_seconds": worked}


def request(series: str, number: int, priority: int) -> NotificationRequest:
    """One notification as a client asks for it."""
    return NotificationRequest(
        channel="email",
        user_id=mail.person(number % PEOPLE),
        template_code=TEMPLATE,
        variables=mail.variables(number),
        request_id=f"{series}-{number}",
        priority=priority,
    )


def accept(requests: list[NotificationRequest]) -> None:
    """One batch; anything but acceptance ends the run."""
    answers = submit_batch(requests, client=CLIENT, mode="live", correlation_id="bench")
    refused = [each for each in answers if not isinstance(each, Submitted) or each.was_replayed]
    if refused:
        raise SystemExit(f"Not accepted: {refused[0]!r}")


def bulk_create(options: argparse.Namespace) -> dict[str, Any]:
    """Write the same rows that were accepted last once more, by nothing but Django's bulk_create."""
    rows = list(Notification.objects.order_by("-pk")[: options.count])
    for row in rows:
        row.pk = uuid.UUID(int=row.pk.int ^ (1 << 40))  # as ordered as before, and new
        row.request_id = f"again-{row.request_id}"
    began = time.perf_counter()
    for first in range(0, len(rows), BATCH):
        Notification.objects.bulk_create(rows[first : first + BATCH])
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "per_second": len(rows) / seconds}


def remove_queues(_: argparse.Namespace) -> dict[str, Any]:
    """Exchange and queues of this installation, messages and all."""
    declaration.remove(settings.RABBITMQ_URL, choice.topology())
    return {}


STEPS = {"seed": seed, "submit": submit, "bulk-create": bulk_create, "remove-queues": remove_queues}


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--priority", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(STEPS[options.step](options)))


if __name__ == "__main__":
    main()
