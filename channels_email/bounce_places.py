"""Which mailboxes are read for bounces: those that settings name."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from channels_email.bounce_boxes import BounceBox, BounceFolder
from channels_email.bounce_imap import BounceMailbox
from channels_email.imap_server import read_imap_server
from gateway.channel_contract import NewsPlace

FOLDER, MAILBOX = "bounce_maildir", "bounce_imap"
#: A folder costs nothing to look at; a server is asked as often as mail programs do.
EVERY = {FOLDER: timedelta(seconds=5), MAILBOX: timedelta(minutes=1)}


def bounce_boxes() -> dict[str, BounceBox[Any]]:
    """By name; fresh ones, nothing is opened yet."""
    found: dict[str, BounceBox[Any]] = {}
    if settings.BOUNCE_MAILDIR:
        found[FOLDER] = BounceFolder(Path(settings.BOUNCE_MAILDIR))
    if server := read_imap_server(settings.BOUNCE_IMAP_URL):
        found[MAILBOX] = BounceMailbox(server)
    return found


def bounce_places() -> dict[str, NewsPlace]:
    """For the sweeper."""
    return {name: NewsPlace(source=box, every=EVERY[name]) for name, box in bounce_boxes().items()}
