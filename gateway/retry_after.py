"""How long a service wants to be left alone. What it says is a stranger's: whatever stands there, nothing is raised."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: Nobody is left alone for longer because of what it said.
LONGEST = timedelta(days=366)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """What the header Retry-After says, `LONGEST` at most; None without one, or where it says nothing we know."""
    return read_retry_after(next((value for name, value in headers.items() if name.lower() == "retry-after"), ""))


def read_retry_after(value: str) -> timedelta | None:
    """Seconds or a date (RFC 9110, section 10.2.3); what is neither is not there."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), LONGEST)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):  # a year may have as many digits as a stranger likes
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(timedelta(0), aware - datetime.now(UTC)), LONGEST)
