"""Asks a process of ours on this machine whether it is ready: `healthcheck.py [port]`. Exit 0 for yes, 1 for no.

Without a port: that of the web process with this SERVICE_ROLE. Only the standard library, and none of our settings: it
runs every few seconds.
"""

import http.client
import os
import sys

PORTS = {"all": 3000, "gateway": 3000, "users": 3001, "templates": 3005}
TIMEOUT = 2.5  # seconds


def is_ready(port: int) -> bool:
    """Whether /health/ready says 200."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        asking.request("GET", "/health/ready")
        return asking.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORTS[os.environ.get("SERVICE_ROLE", "all")]
    sys.exit(0 if is_ready(port) else 1)
