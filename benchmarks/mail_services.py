"""How many mails a second go by a mail service, and what each costs: our adapter, and Anymail's own sending, in turns.

`python -m benchmarks.mail_services [--count 200]` hands mails of usual size to a stand-in for SendGrid that answers
after 50 ms, as a service does that is not next door. Writes benchmarks/results/mail_services.json.
"""

import argparse
import json
import multiprocessing
import os
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_site.settings")
os.environ |= {"LOG_LEVEL": "WARNING", "EMAIL_PROVIDERS": "sendgrid"}

RESULTS = Path(__file__).resolve().parent / "results" / "mail_services.json"
DELAY_MS = 50
TURNS = 3
KEY = "SG.benchmark"
Send = Callable[[Sequence[Any]], None]


def stand_in(told: Connection) -> None:
    """In a process of its own, until it is told to end."""
    from channels_email.standins.sendgrid import SendGridStandIn

    with SendGridStandIn(key=KEY, keep=False, delay_ms=DELAY_MS) as server:
        told.send(server.service_url)
        told.recv()
        told.send(server.accepted_count)


def ours() -> Send:
    """The provider as a sender thread uses it."""
    from channels_email.channel import EmailChannel
    from gateway.channel_contract import Outcome

    provider = EmailChannel().load_provider("sendgrid")
    provider.connect()

    def send(messages: Sequence[Any]) -> None:
        if any(each.outcome is not Outcome.ACCEPTED for each in provider.send(messages)):
            raise SystemExit("The stand-in refused a mail.")

    return send


def by_anymail(url: str) -> Send:
    """`connection.send_messages`, its session kept open over all of them."""
    warnings.filterwarnings("ignore", message="django-anymail has dropped official support for SendGrid")
    from anymail.backends.sendgrid import EmailBackend
    from django.core.mail import EmailMultiAlternatives

    from channels_email.message import frame, headers_of

    connection = EmailBackend(api_key=KEY, api_url=url)
    connection.open()

    def send(messages: Sequence[Any]) -> None:
        mails = []
        for each in messages:
            words, headers = frame(each), {name: value for name, value in headers_of(each) if value}
            mail = EmailMultiAlternatives(words.subject, words.text, each.sender, [each.to], headers=headers)
            mail.attach_alternative(words.html, "text/html")
            mail.metadata = {"notification_id": str(each.notification_id)}  # type: ignore[attr-defined]  # Anymail's
            mails.append(mail)
        connection.send_messages(mails)

    return send


def measured(send: Send, messages: Sequence[Any]) -> tuple[float, float]:
    """Mails a second, milliseconds of our processor time each."""
    began, busy = time.monotonic(), time.process_time()
    send(messages)
    took, worked = time.monotonic() - began, time.process_time() - busy
    return len(messages) / took, worked / len(messages) * 1000


def main() -> None:
    """Prints a table and writes it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="mails of each sender in each of three turns")
    count = parser.parse_args().count
    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("fork").Process(target=stand_in, args=(theirs,))
    server.start()
    try:
        url = str(mine.recv())
        os.environ |= {"SENDGRID_API_KEY": KEY, "SENDGRID_URL": url}
        import django

        django.setup()
        from benchmarks.mail_builder import a_message

        senders = {"ours, one sender thread": ours(), "Anymail's send_messages": by_anymail(url)}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in senders}
        for _ in range(TURNS):
            for name, send in senders.items():
                found[name].append(measured(send, [a_message() for _ in range(count)]))
        mine.send("end")
        taken = mine.recv()
    finally:
        server.terminate()
        server.join()
    if taken != count * TURNS * len(senders):
        raise SystemExit(f"The stand-in took {taken} mails.")
    save(count, found)


def save(count: int, found: dict[str, list[tuple[float, float]]]) -> None:
    """The best of the turns: whatever else the machine does only takes away."""
    best = {
        name: {"per_second": round(max(each[0] for each in turns), 1), "ms": round(min(each[1] for each in turns), 2)}
        for name, turns in found.items()
    }
    for name, each in best.items():
        print(f"{name:30} {each['per_second']:8.1f} mails/s   {each['ms']:6.2f} ms of processor time each")
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    result = {"machine": machine, "count": count, "delay_ms": DELAY_MS, "senders": best}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
