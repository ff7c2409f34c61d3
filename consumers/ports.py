"""Is a TCP port free, and does somebody answer on it."""

import http.client
import socket
from collections.abc import Iterable
from datetime import timedelta

LOOPBACK = "127.0.0.1"
LAST_PORT = 65535
#: A process on the same machine answers a health question faster than this, or it is not well.
ANSWER_WITHIN = timedelta(seconds=2)


class PortTaken(Exception):
    """Somebody else listens on this port, or we may not; the message says which."""


def require_free(port: int, *, host: str = LOOPBACK) -> None:
    """Raises `PortTaken`. The web server itself would share the port with whoever else serves there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of an earlier process that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise PortTaken(f"Port {port} may not be used by this account.") from error
        except OSError as error:
            raise PortTaken(f"Port {port} is in use.") from error


def is_free(port: int) -> bool:
    """Whether a process of ours could listen on it."""
    try:
        require_free(port)
    except PortTaken:
        return False
    return True


def free_base(taken: int, offsets: Iterable[int]) -> int:
    """A round port near `taken` from which on all `offsets` are free; for a remedy that works."""
    wanted = tuple(offsets)
    step = 1000
    candidates = [*range(taken + step, LAST_PORT - step, step), *range(3000, taken, step)]
    found = (base for base in candidates if all(is_free(base + offset) for offset in wanted))
    return next(found, taken + step)


def says_yes(path: str, *, port: int) -> bool:
    """Whether GET `path` on this machine is answered with 200."""
    # http.client and not urllib: a proxy in the environment must not be asked about loopback.
    asking = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_WITHIN.total_seconds())
    try:
        asking.request("GET", path)
        return asking.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
