"""Secrets of a local installation: made once, kept in the var folder, readable by their owner only."""

import contextlib
import os
import secrets
from pathlib import Path


def local_secret(folder: Path, name: str) -> str:
    """The secret called `name` under `folder`; made at the first call. Safe when several processes start at once."""
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        # link() fails when somebody was first; then theirs counts.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
