"""Estimated waits."""

from dataclasses import dataclass

from tokenq.contract.views import EstimateView
from tokenq.contract.words import Priority


@dataclass(frozen=True)
class Estimate:
    """The wait from now as a range of minutes; both ``None`` where it is not known, and then why."""

    low_minutes: int | None
    high_minutes: int | None
    reason: str | None = None

    def view(self) -> EstimateView:
        """As on the wire."""
        return {"lowMinutes": self.low_minutes, "highMinutes": self.high_minutes, "reason": self.reason}


UNKNOWN = Estimate(None, None, "nothing is known yet")


@dataclass(frozen=True)
class Forecast:
    """What is known of the waits in one department."""

    counters_open: int
    service_seconds: float

    def at(self, priority: Priority, index: int) -> Estimate:
        """The estimate for the ``index``-th of a class, from 1."""
        return UNKNOWN
