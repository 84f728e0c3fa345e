"""The API's metrics: what it commits and answers, and how the queues stand."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import nan
from typing import Any, TypeVar

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily

from tokenq.contract.events import EventType
from tokenq_server.adapters.metrics.page import CONTENT_TYPE, new_registry, page
from tokenq_server.domain.record import Record
from tokenq_server.domain.wait_alarms import WaitAlarm
from tokenq_server.services.watching import StoreFigures, Waits

_ANSWERS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_WAITS = (60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14400)
_SERVICES = (30, 60, 120, 180, 300, 420, 600, 900, 1200, 1800, 3600)

_Family = TypeVar("_Family", Counter, Histogram)


class Metrics:
    """All metrics of one API process, in their own registry."""

    content_type = CONTENT_TYPE

    def __init__(self, refused: Mapping[str, int] | None = None) -> None:
        """``refused`` counts, by the name of a rate limit, what it refused."""
        self.registry = new_registry()
        self._refused: Mapping[str, int] = {} if refused is None else refused
        self.registry.register(self)
        self._make_counters()
        self._make_histograms()
        self._make_gauges()
        self._series: dict[tuple[str, ...], Any] = {}

    def _make_counters(self) -> None:
        self.events = self._counter("events", "Events committed by this process.", "department", "type")
        self.number_fallbacks = self._counter(
            "number_fallbacks", "Times Redis did not hand out the number that was expected."
        )
        self.line_gaps = self._counter("line_gaps", "Times Redis was found behind after a commit.")
        self.line_fallbacks = self._counter(
            "line_fallbacks",
            "Times the heads of a queue were read from PostgreSQL, since Redis had none or wrong ones.",
        )
        self.line_replays = self._counter("line_replays", "Times a queue in Redis caught up from the log.")
        self.line_rebuilds = self._counter("line_rebuilds", "Times a queue in Redis was rebuilt.")

    def _make_histograms(self) -> None:
        self.requests = self._histogram(
            "request_seconds", "Time to answer a request.", _ANSWERS, "method", "route", "status"
        )
        self.batch_requests = self._histogram("batch_requests", "Requests committed together.", _BATCHES)
        self.batch_seconds = self._histogram("batch_seconds", "Time from a batch's first lock to its commit.", _ANSWERS)
        self.waits = self._histogram(
            "wait_seconds", "Time in the queue before a call, of calls by this process.", _WAITS, "department"
        )
        self.services = self._histogram(
            "service_seconds", "Time at the counter of customers who were served.", _SERVICES, "department"
        )

    def _make_gauges(self) -> None:
        self.parts = self._gauge("part_up", "1 while the part answers, or nobody needs it.", "part")
        self.queued = self._gauge("commit_queued", "Requests waiting for the next batch.")
        self.watchers = self._gauge("feed_watchers", "Open event streams.")
        self.waiting = self._gauge("waiting", "Customers waiting.", "department", "class")
        self.late = self._gauge(
            "waiting_over_service_level",
            "Customers who have waited longer than the minutes of the service level.",
            "department",
        )
        self.longest_wait = self._gauge(
            "longest_wait_seconds", "How long the customer who has waited longest has waited.", "department"
        )
        self.wait_alarm = self._gauge("wait_alarm", "1 while the alarm is on.", "department", "alarm")
        self.open_counters = self._gauge("open_counters", "Counters that serve the department now.", "department")
        self.backlog = self._gauge("relay_backlog", "Events not yet published.", "department")
        self._totals = {
            "unpublished_for": self._gauge("relay_lag_seconds", "How long the oldest unpublished event has waited."),
            "letters_due": self._gauge("letters_due", "Notifications to be sent now or later."),
            "letters_overdue": self._gauge(
                "letters_overdue", "Notifications that should have been tried more than a minute ago."
            ),
            "dead_letters": self._gauge("dead_letters", "Open dead letters."),
            "dead_letters_not_kept": self._gauge(
                "dead_letters_not_kept", "Dead letters that were removed because there were too many."
            ),
        }
        """By the field of ``StoreFigures`` that each shows."""

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"tokenq_{name}", about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"tokenq_{name}", about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, buckets: Iterable[float], *labels: str) -> Histogram:
        return Histogram(f"tokenq_{name}", about, labels, registry=self.registry, buckets=tuple(buckets))

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Yield what others count, for the registry."""
        refused = CounterMetricFamily("tokenq_rate_limited", "What a rate limit refused.", labels=["limit"])
        for name, times in self._refused.items():
            refused.add_metric([name], times)
        yield refused

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request and the time it took."""
        self._of(self.requests, method, route, str(status)).observe(seconds)

    def committed(self, department_id: str, record: Record) -> None:
        """Count an event, and the wait or the service that it ends."""
        kind, token = record.event_type, record.token
        self._of(self.events, department_id, str(kind)).inc()
        if kind is EventType.TOKEN_CALLED:
            self._of(self.waits, department_id).observe(_seconds(token.waiting_since, record.at))
        elif kind is EventType.TOKEN_SERVED and (begin := token.started_at or token.called_at):
            self._of(self.services, department_id).observe(_seconds(begin, record.at))

    def _of(self, family: _Family, *labels: str) -> _Family:
        """One series; the library looks it up under a lock, by texts that it makes anew."""
        key = (family._name, *labels)
        if key not in self._series:
            self._series[key] = family.labels(*labels)
        found: _Family = self._series[key]
        return found

    def show_waits(self, waits: Waits) -> None:
        """Set the figures and alarms of all departments; others are forgotten."""
        for gauge in (self.late, self.longest_wait, self.wait_alarm):
            gauge.clear()
        for name, (figures, alarms) in waits.items():
            self.late.labels(name).set(figures.late)
            self.longest_wait.labels(name).set(figures.longest_seconds)
            for alarm in WaitAlarm:
                self.wait_alarm.labels(name, str(alarm)).set(alarm in alarms)

    def show_counters(self, counters: Mapping[str, int]) -> None:
        """Set how many counters serve each department."""
        self.open_counters.clear()
        for name, number in counters.items():
            self.open_counters.labels(name).set(number)

    def show_parts(self, parts: Mapping[str, bool]) -> None:
        """Set which parts are up."""
        for part, is_up in parts.items():
            self.parts.labels(part).set(is_up)

    def show_stores(self, figures: StoreFigures | None) -> None:
        """Set what the database knows; departments that are gone are forgotten.

        ``None``: it does not answer. Nothing is shown then, since what is old would look like what is true.
        """
        self.waiting.clear()
        self.backlog.clear()
        for department in figures.departments if figures else ():
            for priority, number in department.waiting.items():
                self.waiting.labels(department.department_id, str(priority)).set(number)
            self.backlog.labels(department.department_id).set(department.unpublished)
        for field, gauge in self._totals.items():
            gauge.set(getattr(figures, field) if figures else nan)

    def page(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return page(self.registry)


def _seconds(begin: datetime, end: datetime) -> float:
    return max((end - begin).total_seconds(), 0.0)
