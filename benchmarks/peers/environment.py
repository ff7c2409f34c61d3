"""The peers' own virtual environment, made from their own lock: nothing of it reaches the platform's."""

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.child_processes import ChildFailed

HERE = Path(__file__).resolve().parent
VENV = HERE.parent / ".peers-venv"
LOCK = HERE / "requirements.txt"
INSTALLED = VENV / ".installed-lock"
PEERS = ("celery", "django", "django-post-office")
PYTHON = str(VENV / "bin" / "python")


def require_peers() -> None:
    """Make it when it is missing or when the lock has changed; takes half a minute then."""
    if INSTALLED.exists() and INSTALLED.read_bytes() == LOCK.read_bytes():
        return
    print("Installing the peers into benchmarks/.peers-venv …", flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        _run(
            [
                str(uv),
                "pip",
                "install",
                "-q",
                "--compile-bytecode",
                "--python",
                PYTHON,
                "--require-hashes",
                "-r",
                str(LOCK),
            ]
        )
    else:
        _run([PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(LOCK)])
    INSTALLED.write_bytes(LOCK.read_bytes())


def versions() -> dict[str, str]:
    """What is installed there, by its lock."""
    pins = re.findall(r"^([a-z-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: number for name, number in pins if name in PEERS}


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildFailed(f"The peers cannot be installed: {done.stderr[-2000:]}")
