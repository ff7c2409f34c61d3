"""Ports for servers that tests start, stop and start again.

From 32768 the system gives ports to whoever calls somebody: one from there may be taken when a stopped server is back.
Two workers that look for a free one at the same moment must not find the same: each process begins elsewhere.
"""

import itertools
import os

from consumers.ports import is_free

#: Below what the system gives out, ten for a server with its neighbours.
FIRST, STEP, COUNT = 10_000, 10, 2_200
_numbers = itertools.count(os.getpid() * 97)


def own_port(*offsets: int) -> int:
    """A port that nobody uses; with offsets those beside it are free as well."""
    for number in itertools.islice(_numbers, COUNT):
        port = FIRST + number % COUNT * STEP
        if all(is_free(port + offset) for offset in (0, *offsets)):
            return port
    raise AssertionError("All ports are taken.")
