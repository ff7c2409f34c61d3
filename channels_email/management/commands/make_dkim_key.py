"""`manage.py make_dkim_key`: the key that signs our mails, and its half for DNS."""

import argparse
import json
from typing import Any

from django.core.management.base import CommandParser

from channels_email.dkim_keys import GOOD_BITS, new_private_key, public_record, read_domain, read_selector, zone_line
from users.command_line import ExamplesCommand


def _domain(text: str) -> str:
    try:
        return read_domain(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _selector(text: str) -> str:
    try:
        return read_selector(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class Command(ExamplesCommand):
    help = (
        "Make the key that signs our mails (DKIM).\n\nNothing is stored: the settings go to standard output, "
        "the record for DNS to standard error."
    )
    examples = (
        "manage.py make_dkim_key --domain shop.example --selector 2026-11",
        "manage.py make_dkim_key --domain shop.example --selector mail --json",
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """For which domain, under which name, what kind of key."""
        parser.add_argument("--domain", type=_domain, required=True, help="the domain of DEFAULT_FROM_EMAIL")
        parser.add_argument("--selector", type=_selector, required=True, help="new for each key, such as 2026-11")
        parser.add_argument("--ed25519", action="store_true", help="short and quick; few mailbox providers check it")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, domain: str, selector: str, **options: Any) -> None:
        """Print it, once."""
        pem = new_private_key(bits=GOOD_BITS, is_ed25519=options["ed25519"])
        name = f"{selector}._domainkey.{domain}"
        if options["json"]:
            record = {"private_key": pem, "selector": selector, "domain": domain, "name": name}
            self.stdout.write(json.dumps(record | {"record": public_record(pem)}))
            return
        on_one_line = pem.strip().replace("\n", "\\n")
        self.stdout.write(f'DKIM_PRIVATE_KEY="{on_one_line}"\nDKIM_SELECTOR={selector}\nDKIM_DOMAIN={domain}')
        self.stderr.write(
            f"Put this into DNS first, as a TXT record of {name}:\n\n  {public_record(pem)}\n\n"
            f"As a line of a zone file:\n\n  {zone_line(pem, selector=selector, domain=domain)}\n\n"
            "Then set the three variables, and keep the key secret. Mails are signed by the provider smtp only."
        )
