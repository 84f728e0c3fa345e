"""The server's counters as Prometheus metrics."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tokenq_server.domain.wait_alarms import WaitAlarm, WaitFigures

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
        self._request_series: dict[tuple[str, str, int], Histogram] = {}
        self.queued = Gauge("tokenq_commit_queued", "Requests waiting for the next commit.", registry=self.registry)
        self.watchers = Gauge("tokenq_feed_watchers", "Open event streams.", registry=self.registry)
        self.backlog = Gauge(
            "tokenq_relay_backlog", "Events not yet published.", ["department"], registry=self.registry
        )
        self.dead_letters = Gauge("tokenq_dead_letters", "Open dead letters.", registry=self.registry)
        self.dead_letters_not_kept = Gauge(
            "tokenq_dead_letters_not_kept",
            "Dead letters that were removed because there were too many.",
            registry=self.registry,
        )
        self.waiting = Gauge("tokenq_waiting", "Customers waiting.", ["department"], registry=self.registry)
        self.late = Gauge(
            "tokenq_waiting_over_service_level",
            "Customers who have waited longer than the service level's minutes.",
            ["department"],
            registry=self.registry,
        )
        self.longest_wait = Gauge(
            "tokenq_longest_wait_seconds",
            "The longest wait of a waiting customer.",
            ["department"],
            registry=self.registry,
        )
        self.wait_alarm = Gauge(
            "tokenq_wait_alarm", "1 while the alarm is on.", ["department", "alarm"], registry=self.registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request and the time it took."""
        kind = method, route, status
        if (series := self._request_series.get(kind)) is None:
            # The library looks a series up under a lock, by texts that it makes anew.
            series = self._request_series[kind] = self.requests.labels(method, route, str(status))
        series.observe(seconds)

    def show_waits(self, waits: Mapping[str, tuple[WaitFigures, Collection[WaitAlarm]]]) -> None:
        """Set the figures and alarms of all departments; others are forgotten."""
        for gauge in (self.waiting, self.late, self.longest_wait, self.wait_alarm):
            gauge.clear()
        for name, (figures, alarms) in waits.items():
            self.waiting.labels(name).set(figures.waiting)
            self.late.labels(name).set(figures.late)
            self.longest_wait.labels(name).set(figures.longest_seconds)
            for alarm in WaitAlarm:
                self.wait_alarm.labels(name, str(alarm)).set(alarm in alarms)

    def page(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)
