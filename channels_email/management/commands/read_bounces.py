"""Reads the mailboxes of bounces now, or only shows what would be read."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels_email.bounce_boxes import MOST_MAILS, BounceBox, Seen
from channels_email.bounce_intake import outcome
from channels_email.bounce_places import bounce_boxes
from channels_email.bounces import NoBounce
from gateway import tracking
from gateway.channel_contract import NewsAway
from users.command_line import USAGE, ExamplesCommand


class Command(ExamplesCommand):
    help = (
        "Read the mailboxes of mails that came back, as the sweeper does.\n\n"
        "BOUNCE_MAILDIR and BOUNCE_IMAP_URL name them. "
        "With --dry-run nothing is changed: it shows whether the settings work, and what would be taken."
    )
    examples = ("manage.py read_bounces --dry-run", "manage.py read_bounces --json")
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where they are is a matter of settings."""
        parser.add_argument("--dry-run", action="store_true", help="change nothing, show every mail")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 when a mailbox cannot be read, 2 when there is none."""
        boxes = bounce_boxes()
        if not boxes:
            raise CommandError("Neither BOUNCE_MAILDIR nor BOUNCE_IMAP_URL is set.", returncode=USAGE)
        told: dict[str, Any] = {}
        away: list[str] = []
        for name, box in boxes.items():
            try:
                told[name] = [_shown(each) for each in box.look(MOST_MAILS)] if options["dry_run"] else _take(box)
            except NewsAway as error:
                away.append(str(error))
            finally:
                box.close()
        self._tell(told, is_dry=options["dry_run"], is_json=options["json"])
        if away:
            raise CommandError(" ".join(away))

    def _tell(self, told: dict[str, Any], *, is_dry: bool, is_json: bool) -> None:
        if is_json:
            self.stdout.write(json.dumps({"dry_run": is_dry, **told}))
            return
        for name, found in told.items():
            if not is_dry:
                self.stdout.write(f"{name}: {found} taken")
                continue
            self.stdout.write(f"{name}: {len(found)} waiting")
            for each in found:
                self.stdout.write(f"  {each['mail']}: {each['outcome']} {each.get('notification_id', '')}".rstrip())
        if is_dry:
            self.stdout.write("Nothing was changed.")


def _take(box: BounceBox[Any]) -> int:
    """All that wait."""
    taken = 0
    while news := box.collect_news(MOST_MAILS):
        tracking.record_news(news)
        box.confirm_news(news)
        taken += len(news)
    return taken


def _shown(seen: Seen) -> dict[str, str]:
    shown = {"mail": seen.name, "outcome": outcome(seen.judged)}
    if isinstance(seen.judged, NoBounce):
        return shown
    concerns = "yes" if seen.judged.is_about_address else "no"
    return shown | {"notification_id": str(seen.judged.notification_id), "concerns_address": concerns}
