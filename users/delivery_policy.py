"""May this message go to this person now: allow, defer or suppress. Pure: values in, value out."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from users.channels import Channel
from users.quiet_hours import quiet_until
from users.recipients import CategoryRules, Recipient, SuppressedAddress

#: The scope of a suppression that blocks nothing but advertising.
ADVERTISING_ONLY = "marketing"

#: What waits for the end of a silence goes out spread over so long after it: a whole country's ends at one moment.
SPREAD = timedelta(seconds=30)
#: Whatever waits has gone out so long after the end.
RELEASED_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Allow:
    """It may go out at once."""


@dataclass(frozen=True, slots=True)
class DeferUntil:
    """It waits: the person wants silence until `moment`."""

    moment: datetime
    reason: str
    data: dict[str, str] = field(default_factory=dict)
    #: It may go out at any moment so long after it.
    spread: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Suppress:
    """It does not go out, for this reason of the catalogue."""

    reason: str
    data: dict[str, str] = field(default_factory=dict)


Decision = Allow | DeferUntil | Suppress


def _is_blocked(suppressed: SuppressedAddress, category: CategoryRules) -> bool:
    """Mandatory or not: what bounces, bounces. Only a block of advertising lets everything else through."""
    return suppressed.scope != ADVERTISING_ONLY or (category.is_marketing and not category.is_mandatory)


def decide(
    recipient: Recipient, *, channel: str, category: CategoryRules, is_critical: bool, now: datetime
) -> Decision:
    """The person's wishes applied to one message at `now` (aware). The order is that of the dry run's rules."""
    who = {"name": recipient.display_name}
    if not recipient.is_active:
        return Suppress("user_inactive", who)
    if channel == Channel.EMAIL and not recipient.email:
        return Suppress("no_address", who)
    if channel == Channel.PUSH and not recipient.devices:
        return Suppress("no_device", who)
    if channel == Channel.EMAIL and recipient.suppressed and _is_blocked(recipient.suppressed, category):
        return Suppress("address_suppressed", who | {"date": recipient.suppressed.since})
    if not category.is_mandatory and not recipient.wants(channel, category.code):
        return Suppress("opt_out", who | {"category": category.name, "channel": channel})
    if is_critical or category.ignores_quiet_hours or recipient.quiet is None:
        return Allow()
    end = quiet_until(recipient.quiet, channel=channel, now=now)
    if end is None:
        return Allow()
    window = recipient.quiet
    # Where the next silence begins within the minute there is no time to spread anything.
    is_short = quiet_until(window, channel=channel, now=end + RELEASED_WITHIN) is not None
    return DeferUntil(
        end,
        "quiet_hours",
        who
        | {
            "channel": channel,
            "start": f"{window.start:%H:%M}",
            "end": f"{window.end:%H:%M}",
            "tz": window.timezone,
        },
        spread=timedelta(0) if is_short else SPREAD,
    )
