"""Outlives the campaign however that ends, and leaves nothing of it: no process that carries its mark, no folder.

`python -m tests.chaos.guardian FOLDER`; it begins when its standard input ends. Every process of the campaign, also
those of its servers and their helpers, has the mark in its environment: it is found whatever its parents were. Redis
writes its title over its environment, but works in the folder.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MARK = "CHAOS_CAMPAIGN"
#: Seconds in which everything is to be gone.
PATIENCE = 20


class Guarded:
    """A folder and a mark, both gone in the end."""

    def __enter__(self) -> "Guarded":
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        self.folder.chmod(0o755)  # the server's account must get through
        self._guardian = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.guardian", str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is not meant for it
        )
        os.environ[MARK] = str(self.folder)
        return self

    def __exit__(self, *error: object) -> None:
        del os.environ[MARK]
        self._guardian.stdin.close()
        self._guardian.wait(2 * PATIENCE)


def left_of(folder: str) -> list[int]:
    """The processes that carry the mark or work in the folder."""
    words = f"{MARK}={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            works_in = (process / "cwd").readlink()
            if works_in.is_relative_to(folder) or words in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def main(folder: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.read()
    ends_at = time.monotonic() + PATIENCE
    while (left := left_of(folder)) and time.monotonic() < ends_at:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
