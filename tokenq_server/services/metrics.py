"""Counters of the server, exported as Prometheus metrics."""

from typing import Protocol

from tokenq_server.domain.record import Record


class Count(Protocol):
    """A counter."""

    def inc(self, amount: float = 1) -> None:
        """Increment it."""


class Histogram(Protocol):
    """A distribution."""

    def observe(self, amount: float) -> None:
        """Take in one more value."""


class Metrics(Protocol):
    """What the core counts."""

    def committed(self, department_id: str, record: Record) -> None:
        """Count an event, and the wait or the service that it ends."""

    @property
    def batch_requests(self) -> Histogram:
        """Requests committed together."""

    @property
    def batch_seconds(self) -> Histogram:
        """Time from a batch's first lock to its commit."""

    @property
    def number_fallbacks(self) -> Count:
        """Times Redis did not hand out the number that the locked row expects, so that the row decided."""

    @property
    def line_gaps(self) -> Count:
        """Times Redis was found behind after a commit."""

    @property
    def line_fallbacks(self) -> Count:
        """Times the heads of a queue were read from Postgres."""

    @property
    def line_replays(self) -> Count:
        """Times Redis caught up from the log."""

    @property
    def line_rebuilds(self) -> Count:
        """Times a queue in Redis was rebuilt."""
