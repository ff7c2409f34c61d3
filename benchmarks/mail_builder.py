"""How long building one mail takes: ours, Django's message class, the standard library, in turns in the same run.

`python -m benchmarks.mail_builder [--count 300]` prints milliseconds of processor time per mail, and the ratios, which
say more: machines are noisy. The mail has 2 kB of text and 6 kB of HTML. Writes benchmarks/results/mail_builder.json.
"""

import argparse
import email.message
import email.policy
import json
import os
import platform
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_site.settings")

import django
import dkim

django.setup()

from django.core.mail import EmailMultiAlternatives  # noqa: E402  Django first

from channels_email.dkim_keys import new_private_key, private_key  # noqa: E402  Django first
from channels_email.dkim_signing import Signer  # noqa: E402  Django first
from channels_email.message import EmailMessage, frame, make_mail, message_id_header  # noqa: E402  Django first
from gateway.channel_contract import OutgoingFile  # noqa: E402  Django first
from templates_app.rendering import RenderedEmail  # noqa: E402  Django first

RESULTS = Path(__file__).resolve().parent / "results" / "mail_builder.json"
TURNS = 7
TEXT = ("Hello Ann, your order 4711 has left our house and will be with you soon.\n" * 30)[:2000]
PARAGRAPH = '<p style="color:#333333">Hello <b>Ann</b>, your order has left our house – soon it is with you.</p>\n'
HTML = ("<!doctype html><html><body>" + PARAGRAPH * 70)[:6000]


def a_message() -> EmailMessage:
    number = uuid.uuid4()
    return EmailMessage(
        notification_id=number,
        message_id=f"n-{number}",
        to="Jürgen Groß <ann@example.com>",
        sender="Shop <shop@mail.example>",
        locale="en",
        words=RenderedEmail(subject="Ihre Bestellung ist unterwegs – bald da", preheader="", html=HTML, text=TEXT),
    )


def headers(message: EmailMessage) -> dict[str, str]:
    return {
        "Message-ID": message_id_header(message),
        "Content-Language": message.locale,
        "X-Notification-ID": str(message.notification_id),
        "Auto-Submitted": "auto-generated",
    }


def with_django(message: EmailMessage) -> bytes:
    words = message.words
    mail = EmailMultiAlternatives(words.subject, words.text, message.sender, [message.to], headers=headers(message))
    mail.attach_alternative(words.html, "text/html")
    made: bytes = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own class takes it
    return made


def with_the_standard_library(message: EmailMessage) -> bytes:
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["Subject"], mail["From"], mail["To"] = message.words.subject, message.sender, message.to
    for name, value in headers(message).items():
        mail[name] = value
    mail.set_content(message.words.text)
    mail.add_alternative(message.words.html, subtype="html")
    return mail.as_bytes()


SIGNERS = {
    "RSA, 2,048 bits": Signer(private_key(new_private_key()), "mail", "mail.example"),
    "Ed25519": Signer(private_key(new_private_key(is_ed25519=True)), "mail", "mail.example"),
}
PEM = new_private_key().encode()
CONTENT = os.urandom(100 * 1024)
FILE = OutgoingFile(filename="invoice.pdf", content_type="application/pdf", size=len(CONTENT), read=lambda: CONTENT)


def signed_by(signer: Signer) -> Callable[[EmailMessage], object]:
    def build(message: EmailMessage) -> bytes:
        content = make_mail(message).content
        return signer.header(content) + content

    return build


def signed_by_dkimpy_alone(message: EmailMessage) -> object:
    content = make_mail(message).content
    return dkim.sign(content, b"mail", b"mail.example", PEM, canonicalize=(b"relaxed", b"relaxed"))


def with_a_file(message: EmailMessage) -> object:
    return make_mail(replace(message, files=(FILE,)))


BUILDERS: dict[str, Callable[[EmailMessage], object]] = {
    "ours": make_mail,
    "of which the frame (django-templated-mail)": frame,
    **{f"ours, signed: {name}": signed_by(signer) for name, signer in SIGNERS.items()},
    "ours, signed by dkimpy alone: RSA, 2,048 bits": signed_by_dkimpy_alone,
    "ours, with a file of 100 KiB": with_a_file,
    "Django's EmailMultiAlternatives": with_django,
    "standard library's EmailMessage": with_the_standard_library,
}


def milliseconds(build: Callable[[EmailMessage], object], message: EmailMessage, count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        build(message)
    return (time.process_time() - began) / count * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="mails of each builder in each of seven turns")
    count = parser.parse_args().count
    message = a_message()
    took: dict[str, list[float]] = {name: [] for name in BUILDERS}
    for _ in range(TURNS):
        for name, build in BUILDERS.items():
            took[name].append(milliseconds(build, message, count))
    best = {name: min(each) for name, each in took.items()}
    for name, each in best.items():
        print(f"{name:45} {each:7.3f} ms   {each / best['ours']:5.1f} × ours")
    result = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "bytes": {"text": len(TEXT.encode()), "html": len(HTML.encode()), "mail": len(make_mail(message).content)},
        "milliseconds": {name: round(each, 3) for name, each in best.items()},
        "times_ours": {name: round(each / best["ours"], 1) for name, each in best.items()},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
