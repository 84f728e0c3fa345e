"""What some visits add up to: counts and durations, each fact counted where it happened.

Durations are whole seconds, rounded half up when measured. They are kept as a histogram, so the memory of a report does
not grow with the number of visits.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tokenq.contract.events import EventType
from tokenq.contract.report_views import EstimatesView, FiguresView, ServiceLevelView, TimesView
from tokenq_server.domain.history import Leg, Service, Visit, seconds_between
from tokenq_server.domain.principal import CUSTOMER
from tokenq_server.domain.rules import Rules


class Count(StrEnum):
    """What is counted."""

    ISSUED = "issued"
    TRANSFERRED_IN = "transferredIn"
    FURTHER_LEGS = "furtherLegs"
    RECALLS = "recalls"
    SERVED = "served"
    NO_SHOW = "noShow"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    TRANSFERRED_OUT = "transferredOut"
    UNFINISHED = "unfinished"
    ABANDONED = "abandoned"
    IN_TIME = "inTime"
    LATE = "late"
    WITHIN_ESTIMATE = "withinEstimate"


class Time(StrEnum):
    """What is measured, in seconds."""

    WAITING = "waiting"
    FURTHER_WAITING = "furtherWaiting"
    WALKING = "walking"
    SERVICE = "service"
    ESTIMATE_ERROR = "estimateError"


_ENDS: dict[str, Count] = {
    EventType.TOKEN_SERVED: Count.SERVED,
    EventType.TOKEN_NO_SHOW: Count.NO_SHOW,
    EventType.TOKEN_CANCELLED: Count.CANCELLED,
    EventType.TOKEN_EXPIRED: Count.EXPIRED,
    EventType.TOKEN_TRANSFERRED: Count.TRANSFERRED_OUT,
}


class Fact(NamedTuple):
    """One thing that happened: what (for a duration, how many seconds), when, and at which counter by whom, if any."""

    what: Count | Time
    value: int
    at: datetime
    counter_id: str | None = None
    operator: str | None = None


class Durations:
    """A histogram of durations in whole seconds."""

    def __init__(self) -> None:
        self._seconds: Counter[int] = Counter()

    def add(self, seconds: int) -> None:
        """Add one duration."""
        self._seconds[seconds] += 1

    @property
    def count(self) -> int:
        """How many there are."""
        return self._seconds.total()

    @property
    def mean(self) -> int | None:
        """Their mean, rounded half up."""
        total = sum(seconds * number for seconds, number in self._seconds.items())
        return _divide(total, self.count) if self._seconds else None

    def view(self) -> TimesView:
        """Count, mean, median, 90th percentile and maximum."""
        if not self._seconds:
            return {"count": 0, "mean": None, "p50": None, "p90": None, "max": None}
        ordered = sorted(self._seconds)
        return {
            "count": self.count,
            "mean": self.mean,
            "p50": self._quantile(ordered, 50),
            "p90": self._quantile(ordered, 90),
            "max": ordered[-1],
        }

    def _quantile(self, ordered: list[int], share: int) -> int:
        """The percentile by nearest rank, always an observed value."""
        rank = -(-self.count * share // 100)
        for seconds in ordered:
            rank -= self._seconds[seconds]
            if rank <= 0:
                return seconds
        return ordered[-1]


class Figures:
    """The facts of some visits, added up."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._times: dict[str, Durations] = {what: Durations() for what in Time}

    def add(self, fact: Fact) -> None:
        """Add one fact."""
        durations = self._times.get(fact.what)
        if durations:
            durations.add(fact.value)
        else:
            self._counts[fact.what] += fact.value

    def times(self, what: Time) -> TimesView:
        """Durations of one kind."""
        return self._times[what].view()

    def view(self, rules: Rules | None) -> FiguresView:
        """Return all figures; ``rules`` are ``None`` over departments with different service levels."""
        count, waiting = self._counts, self._times[Time.WAITING]
        return {
            "issued": count[Count.ISSUED],
            "transferredIn": count[Count.TRANSFERRED_IN],
            "furtherLegs": count[Count.FURTHER_LEGS],
            "called": waiting.count,
            "furtherCalls": self._times[Time.FURTHER_WAITING].count,
            "recalls": count[Count.RECALLS],
            "served": count[Count.SERVED],
            "noShow": count[Count.NO_SHOW],
            "cancelled": count[Count.CANCELLED],
            "expired": count[Count.EXPIRED],
            "transferredOut": count[Count.TRANSFERRED_OUT],
            "unfinished": count[Count.UNFINISHED],
            "abandoned": count[Count.ABANDONED],
            "noShowPercent": percent(count[Count.NO_SHOW], waiting.count),
            "waiting": waiting.view(),
            "furtherWaiting": self.times(Time.FURTHER_WAITING),
            "walking": self.times(Time.WALKING),
            "service": self.times(Time.SERVICE),
            "serviceLevel": self._service_level(rules),
            "estimates": self._estimates(),
        }

    def _service_level(self, rules: Rules | None) -> ServiceLevelView:
        in_time = self._counts[Count.IN_TIME]
        counted = in_time + self._counts[Count.LATE]
        return {
            "minutes": rules.service_level_minutes if rules else None,
            "percent": percent(in_time, counted),
            "target": rules.service_level_percent if rules else None,
            "inTime": in_time,
            "counted": counted,
        }

    def _estimates(self) -> EstimatesView:
        errors = self._times[Time.ESTIMATE_ERROR]
        within = percent(self._counts[Count.WITHIN_ESTIMATE], errors.count)
        return {"count": errors.count, "meanError": errors.mean, "within": within}


def percent(part: int, whole: int) -> float | None:
    """A share in percent, to one decimal, rounded half up; ``None`` if ``whole`` is 0."""
    return _divide(1000 * part, whole) / 10 if whole else None


def facts(visit: Visit, now: datetime, rules: Rules) -> Iterator[Fact]:
    """Return what is counted of a visit. What has not ended is judged as of ``now``; ``rules`` hold its target."""
    first, last = visit.legs[0], visit.legs[-1]
    yield Fact(Count.TRANSFERRED_IN if first.is_transferred_in else Count.ISSUED, 1, first.came_at)
    for leg in visit.legs[1:]:
        yield Fact(Count.FURTHER_LEGS, 1, leg.came_at)
    for service in visit.services:
        yield from _of_service(service)
    yield from _of_calls(visit, rules)
    yield from _of_end(visit, last)
    if not visit.services and (verdict := _verdict_on_uncalled(visit, last, now, rules)):
        yield Fact(verdict, 1, first.came_at)


def _of_service(service: Service) -> Iterator[Fact]:
    if service.recalls:
        yield _at_call(service, Count.RECALLS, service.recalls)
    if service.started_at:
        walked = seconds_between(service.last_call_at, service.started_at)
        yield Fact(Time.WALKING, walked, service.started_at, service.counter_id, service.operator)
    if service.end == EventType.TOKEN_SERVED and service.ended_at:
        took = seconds_between(service.started_at or service.called_at, service.ended_at)
        yield Fact(Time.SERVICE, took, service.ended_at, service.counter_id, service.ended_by)


def _of_calls(visit: Visit, rules: Rules) -> Iterator[Fact]:
    """The first call ends the wait; further ones are listed apart."""
    for number, service in enumerate(visit.services):
        if number:
            yield _at_call(service, Time.FURTHER_WAITING, service.waited)
            continue
        waited = wait_of(visit)
        yield _at_call(service, Time.WAITING, waited)
        yield _at_call(service, Count.IN_TIME if waited <= 60 * rules.service_level_minutes else Count.LATE, 1)
        yield from _of_estimate(visit.legs[0], service, waited)


def wait_of(visit: Visit) -> int:
    """Seconds in queues until the first call, over all legs before it; of one never called, until it left the last."""
    waited = 0
    for leg in visit.legs:
        if leg.services:
            return waited + leg.services[0].waited
        waited += leg.waited
    return waited


def _of_estimate(leg: Leg, service: Service, waited: int) -> Iterator[Fact]:
    """The estimate at issue was for the department where the visit began."""
    estimate = leg.estimate or {}
    if not leg.services or estimate.get("lowMinutes") is None or estimate.get("highMinutes") is None:
        return
    low, high = 60 * estimate["lowMinutes"], 60 * estimate["highMinutes"]
    yield _at_call(service, Time.ESTIMATE_ERROR, _divide(abs(low + high - 2 * waited), 2))
    if low <= waited <= high:
        yield _at_call(service, Count.WITHIN_ESTIMATE, 1)


def _of_end(visit: Visit, leg: Leg) -> Iterator[Fact]:
    if leg.end is None or leg.ended_at is None:
        yield Fact(Count.UNFINISHED, 1, visit.came_at)
        return
    at = leg.last_service
    yield Fact(_ENDS[leg.end], 1, leg.ended_at, at.counter_id if at else None, at.ended_by if at else None)
    gave_up = leg.end == EventType.TOKEN_EXPIRED or (leg.end == EventType.TOKEN_CANCELLED and leg.ended_by == CUSTOMER)
    if gave_up and not visit.services:
        yield Fact(Count.ABANDONED, 1, leg.ended_at)


def _verdict_on_uncalled(visit: Visit, leg: Leg, now: datetime, rules: Rules) -> Count | None:
    """Judge a visit that was never called; ``None`` if it left, or still waits, within the target."""
    waited = sum(leg.waits_at(now) for leg in visit.legs)
    if leg.end != EventType.TOKEN_EXPIRED and waited <= 60 * rules.service_level_minutes:
        return None
    return Count.LATE


def _at_call(service: Service, what: Count | Time, value: int) -> Fact:
    return Fact(what, value, service.called_at, service.counter_id, service.operator)


def _divide(part: int, whole: int) -> int:
    """Divide, rounding half up."""
    return (2 * part + whole) // (2 * whole)
