"""What every program's metrics have: its process, and one text."""

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside each counter, of which nobody asks anything


def new_registry() -> CollectorRegistry:
    """Return a registry with the figures of this process."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def page(registry: CollectorRegistry) -> bytes:
    """Return the metrics as text."""
    return generate_latest(registry)
