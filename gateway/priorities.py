"""How urgent a notification is: 0 to 10, higher is more urgent, with words for four of them."""

NAMES = {"low": 2, "normal": 5, "high": 8, "critical": 10}
DEFAULT = NAMES["normal"]
LEAST, MOST = 0, 10
#: From here on nobody waits for a broker's queue.
URGENT_FROM = 7
#: From here on quiet hours are ignored.
CRITICAL_FROM = 9


def lane(priority: int) -> str:
    """The word for a priority: low 0-3, normal 4-6, high 7-8, critical 9-10."""
    if priority >= CRITICAL_FROM:
        return "critical"
    if priority >= URGENT_FROM:
        return "high"
    return "normal" if priority >= 4 else "low"
