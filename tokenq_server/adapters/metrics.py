"""The server's counters as Prometheus metrics."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass
class Metrics:
    """All metrics, in their own registry."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.events = Counter("tokenq_events", "Events committed.", ["department", "type"], registry=self.registry)
        self.number_fallbacks = Counter(
            "tokenq_number_fallbacks", "Times Redis did not hand out the expected number.", registry=self.registry
        )
        self.line_gaps = Counter(
            "tokenq_line_gaps", "Times Redis was found behind after a commit.", registry=self.registry
        )
        self.line_fallbacks = Counter(
            "tokenq_line_fallbacks", "Times the heads of a queue were read from Postgres.", registry=self.registry
        )
        self.line_replays = Counter(
            "tokenq_line_replays", "Times Redis caught up from the log.", registry=self.registry
        )
        self.line_rebuilds = Counter(
            "tokenq_line_rebuilds", "Times a queue in Redis was rebuilt.", registry=self.registry
        )
        self.requests = Histogram(
            "tokenq_request_seconds",
            "Time to answer.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.queued = Gauge("tokenq_commit_queued", "Requests waiting for the next commit.", registry=self.registry)
        self.watchers = Gauge("tokenq_feed_watchers", "Open event streams.", registry=self.registry)
        self.backlog = Gauge(
            "tokenq_relay_backlog", "Events not yet published.", ["department"], registry=self.registry
        )

    def page(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)
