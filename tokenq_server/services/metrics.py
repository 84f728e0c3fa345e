"""Counters of the server, exported as Prometheus metrics."""

from typing import Any, Protocol


class Count(Protocol):
    """A counter."""

    def inc(self, amount: float = 1) -> None:
        """Increment it."""


class LabelledCount(Protocol):
    """A family of counters."""

    def labels(self, *labelvalues: Any) -> Count:
        """Return the counter with these label values."""


class Metrics(Protocol):
    """The counters of the core."""

    @property
    def events(self) -> LabelledCount:
        """Events committed, by department and type."""

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
