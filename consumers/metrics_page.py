"""/metrics of any process: who may read it, and its text. Web workers share what they count through files."""

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from django.conf import settings
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from consumers.table_gauges import TableGauges
from gateway import metrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
#: The library's own variable. It reads it when it is imported: so it is for processes that are yet to start.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: The web roles that tell what the tables hold: one of them serves at a time, so nothing is told twice.
TELL_TABLES = ("all", "gateway")


def refusal(authorization: str, *, address: str | None = None) -> str | None:
    """The problem code for whoever may not read it; None for whoever may. `authorization`: that header."""
    if settings.IS_LOCAL:
        return None
    # Only now: it brings the API framework along, a quarter of a consumer's memory.
    authentication = import_module("users.authentication")
    text = authentication.bearer_in(authorization)
    if text is None:
        return "not_authenticated"
    found = authentication.reader_of_metrics(text, address=address)
    if found is None:
        return "invalid_api_key"
    caller, _ = found
    return None if caller.may(authentication.METRICS_SCOPE) else "insufficient_scope"


def page_of_consumer() -> bytes:
    """What this process has counted since its start."""
    return b"".join(generate_latest(each) for each in (metrics.REGISTRY, _about_itself()))


def page_of_web() -> bytes:
    """What all workers of this web process have counted since its start, and what the tables hold."""
    pages = [generate_latest(_shared()), generate_latest(_about_build())]
    if settings.SERVICE_ROLE in TELL_TABLES:
        pages.append(generate_latest(_tables()))
    return b"".join(pages)


@contextlib.contextmanager
def shared_by_workers(*, role: str, port: int) -> Iterator[None]:
    """Processes started within count together, in a folder of this one; what an earlier one left there goes."""
    folder = Path(settings.VAR_DIR) / "metrics" / f"{role}-{socket.gethostname()}-{port}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[FOLDER_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


def _shared() -> CollectorRegistry:
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return metrics.REGISTRY
    registry = CollectorRegistry()
    # It adds up the files of all workers, also of those that have died: a counter never goes back.
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    return registry


@cache
def _about_build() -> CollectorRegistry:
    return _registry(_BuildInfo())


@cache
def _about_itself() -> CollectorRegistry:
    registry = _registry(_BuildInfo())
    ProcessCollector(namespace="notify", registry=registry)
    return registry


@cache
def _tables() -> CollectorRegistry:
    return _registry(TableGauges())


def _registry(collector: Collector) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


class _BuildInfo(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = metrics.family(metrics.BUILD_INFO)
        found.add_metric([settings.VERSION, settings.BUILD_COMMIT], 1)
        yield found
