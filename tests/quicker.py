"""What tests do cheaper than an installation, where nothing they look at depends on it."""

import gc
import importlib
import os
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware

TESTS = Path(__file__).resolve().parent
#: Settings by which WhiteNoise decides what it serves and how.
STATIC_SETTINGS = ("DEBUG", "STATIC_URL", "STATIC_ROOT", "STATICFILES_DIRS", "STATICFILES_FINDERS", "STORAGES")


def find_static_files_once() -> None:
    """WhiteNoise looks at 900 files when it is made, which takes 60 ms: an installation does it once, but every test
    client makes it anew. Here it looks once for all clients with the same settings."""
    look, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def look_once(middleware):
        key = repr([getattr(settings, name) for name in STATIC_SETTINGS])
        if key not in found:
            others, middleware.files = middleware.files, {}
            look(middleware)
            found[key], middleware.files = middleware.files, others
        middleware.files.update(found[key])

    WhiteNoiseMiddleware.add_files_from_finders = look_once


def hash_passwords_quickly() -> None:
    """A hash that is meant to take a third of a second takes that from a hundred tests. Whole installations that tests
    start hash as they should."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def keep_tests_out_of_garbage_collection() -> None:
    """Thousands of collected tests stay to the end. Python would look through them all again and again: a tenth of the
    time of small tests."""
    gc.freeze()
    gc.enable()


def share_rewriting(config: pytest.Config) -> None:
    """pytest rewrites every `assert` when a file of tests is first read, 7 s of work, and keeps what came of it.

    Workers that all begin with the first file would all do all of it: each begins with its own share, and finds the
    shares of the others.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    reads_all = [Path(each).resolve() for each in config.args] == [TESTS]
    if not worker or not reads_all:
        return
    files = sorted(TESTS.rglob("test_*.py"))
    begin = len(files) * int(worker.removeprefix("gw")) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for path in files[begin:] + files[:begin]:
        if config.hook.pytest_ignore_collect(collection_path=path, config=config):
            continue
        with suppress(Exception):  # the collection says so
            importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))
