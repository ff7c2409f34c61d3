"""`python -m benchmarks.raw_smtplib PORT`: hands over ready-made messages and does nothing else."""

import argparse
import json
import multiprocessing
import smtplib
import time
from email.message import EmailMessage
from multiprocessing.synchronize import Barrier

from benchmarks import mail_of_usual_size as mail

VARIANTS = 100


def ready_made(number: int) -> bytes:
    """A multipart message of the usual size, as bytes."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = mail.SUBJECT, mail.SENDER, mail.address(number)
    message["Message-ID"] = f"<raw-{number}@example.com>"
    message.set_content(mail.TEXT)
    message.add_alternative(mail.HTML, subtype="html")
    return message.as_bytes()


def hand_over(port: int, count: int, start: Barrier, times: "multiprocessing.Queue[tuple[float, float]]") -> None:
    """One open connection; waits until all processes have theirs."""
    messages = [(mail.address(number), ready_made(number)) for number in range(VARIANTS)]
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.ehlo()
        start.wait()
        began = time.monotonic()
        for number in range(count):
            to, message = messages[number % VARIANTS]
            server.sendmail("shop@example.com", [to], message)
        times.put((began, time.monotonic()))


def main() -> None:
    """Prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    start, times = multiprocessing.Barrier(options.processes), multiprocessing.Queue()
    each = options.count // options.processes
    senders = [
        multiprocessing.Process(target=hand_over, args=(options.port, each, start, times))
        for _ in range(options.processes)
    ]
    for sender in senders:
        sender.start()
    spans = [times.get(timeout=600) for _ in senders]
    for sender in senders:
        sender.join()
    seconds = max(ended for _, ended in spans) - min(began for began, _ in spans)
    print(json.dumps({"per_second": each * options.processes / seconds}))


if __name__ == "__main__":
    main()
