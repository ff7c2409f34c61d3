"""Moments: read from RFC 3339, and in words in the reader's zone, for staff pages and for sentences."""

import re
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

#: (shorter than this, its unit, how it reads). The last one holds for everything longer.
AGES = (
    (timedelta(hours=1), timedelta(minutes=1), "{} min"),
    (timedelta(days=2), timedelta(hours=1), "{} h"),
    (timedelta.max, timedelta(days=1), "{} d"),
)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_moment(text: str) -> datetime | None:
    """The moment an RFC 3339 text names, in its own offset; None when it names none."""
    if not RFC_3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:  # the thirtieth of February
        return None


def clock(moment: datetime, *, now: datetime | None = None) -> str:
    """A moment on the reader's clock: 14:32, with the day unless it is today. UTC is named, other zones are not."""
    local = timezone.localtime(moment)
    today = timezone.localtime(now or timezone.now())
    text = date_format(local, "H:i")
    if local.date() != today.date():
        day = date_format(local, "j M" if local.year == today.year else "j M Y")
        text = f"{day}, {text}"
    return f"{text} UTC" if timezone.get_current_timezone_name() == "UTC" else text


def age(moment: datetime, *, now: datetime | None = None) -> str:
    """How long ago, or in how long: 3 min ago, in 2 h."""
    difference = (now or timezone.now()) - moment
    length = abs(difference)
    if length < timedelta(minutes=1):
        return _("just now") if difference >= timedelta(0) else _("in a moment")
    unit, words = next((unit, words) for limit, unit, words in AGES if length < limit)
    spoken = words.format(length // unit)
    return _("%(time)s ago") % {"time": spoken} if difference > timedelta(0) else _("in %(time)s") % {"time": spoken}
