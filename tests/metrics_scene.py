"""What has been counted in this process. Other tests count too: only the growth says something."""

from collections.abc import Callable

from gateway.metrics import REGISTRY


def value(name: str, **labels: str) -> float:
    """The sample as it is now."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def growth(name: str, **labels: str) -> Callable[[], float]:
    """How much it has grown since this was asked for."""
    before = value(name, **labels)
    return lambda: value(name, **labels) - before
