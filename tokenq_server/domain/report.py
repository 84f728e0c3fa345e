"""A business day in figures, as defined in :class:`tokenq.contract.report_views.ReportView`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import ceil
from statistics import fmean
from zoneinfo import ZoneInfo

from tokenq.contract.enums import Priority
from tokenq.contract.events import EventType
from tokenq.contract.report_views import (
    CounterReportView,
    EstimatesView,
    HourView,
    ReportView,
    ServiceLevelView,
    TimesView,
)
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import Service, Visit


def report(department: Department, day: str, visits: Sequence[Visit]) -> ReportView:
    """Compute the figures of a department's visits on one day."""
    services = [service for visit in visits for service in visit.services]
    ends = [visit.end for visit in visits]
    no_shows = ends.count(EventType.TOKEN_NO_SHOW)
    called = sum(bool(visit.services) for visit in visits)
    return {
        "departmentId": department.department_id,
        "name": department.name,
        "businessDay": day,
        "timezone": department.timezone,
        "issued": sum(not visit.is_transferred_in for visit in visits),
        "called": called,
        "served": ends.count(EventType.TOKEN_SERVED),
        "noShow": no_shows,
        "cancelled": ends.count(EventType.TOKEN_CANCELLED),
        "expired": ends.count(EventType.TOKEN_EXPIRED),
        "transferredIn": sum(visit.is_transferred_in for visit in visits),
        "transferredOut": ends.count(EventType.TOKEN_TRANSFERRED),
        "noShowPercent": percent(no_shows, called),
        "waiting": times(service.waited for service in services),
        "walking": times(walk for service in services if (walk := _walk(service)) is not None),
        "service": times(took for service in services if (took := _took(service)) is not None),
        "serviceLevel": _service_level(department, services),
        "estimates": _estimates(visits),
        "classes": {str(name): times(_waits(visits, name)) for name in Priority},
        "hours": _hours(visits, services, ZoneInfo(department.timezone)),
        "counters": _counters(services),
    }


def times(seconds: Iterable[float]) -> TimesView:
    """Count, mean, median, 90th percentile and maximum of some durations, in seconds."""
    values = sorted(seconds)
    if not values:
        return {"count": 0, "mean": None, "p50": None, "p90": None, "max": None}
    return {
        "count": len(values),
        "mean": round(fmean(values), 1),
        "p50": round(_quantile(values, 0.5), 1),
        "p90": round(_quantile(values, 0.9), 1),
        "max": round(values[-1], 1),
    }


def percent(part: int, whole: int) -> float | None:
    """A share in percent, to one decimal; ``None`` if ``whole`` is 0."""
    return round(100 * part / whole, 1) if whole else None


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile by nearest rank, always an observed value."""
    return ordered[max(ceil(len(ordered) * share), 1) - 1]


def _walk(service: Service) -> float | None:
    return (service.started_at - service.last_call_at).total_seconds() if service.started_at else None


def _took(service: Service) -> float | None:
    if service.end != EventType.TOKEN_SERVED or service.ended_at is None:
        return None
    return (service.ended_at - (service.started_at or service.called_at)).total_seconds()


def _waits(visits: Iterable[Visit], priority: str) -> list[float]:
    return [service.waited for visit in visits if visit.priority == priority for service in visit.services]


def _service_level(department: Department, services: Sequence[Service]) -> ServiceLevelView:
    minutes = department.rules.service_level_minutes
    in_time = sum(service.waited <= minutes * 60 for service in services)
    return {
        "minutes": minutes,
        "percent": percent(in_time, len(services)),
        "target": department.rules.service_level_percent,
    }


def _estimates(visits: Iterable[Visit]) -> EstimatesView:
    errors, within = [], 0
    for visit in visits:
        if not visit.services or visit.estimate is None or visit.estimate.get("lowMinutes") is None:
            continue
        low, high, waited = (
            60 * visit.estimate["lowMinutes"],
            60 * visit.estimate["highMinutes"],
            visit.services[0].waited,
        )
        errors.append(abs((low + high) / 2 - waited))
        within += low <= waited <= high
    mean = round(fmean(errors), 1) if errors else None
    return {"count": len(errors), "meanError": mean, "within": percent(within, len(errors))}


def _hours(visits: Iterable[Visit], services: Iterable[Service], zone: ZoneInfo) -> list[HourView]:
    def hour(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%H}"

    came = [hour(visit.came_at) for visit in visits]
    called = [(hour(service.called_at), service.waited) for service in services]
    served = [
        hour(service.ended_at) for service in services if service.ended_at and service.end == EventType.TOKEN_SERVED
    ]
    seen = sorted({*came, *served, *(name for name, _ in called)})
    rows: list[HourView] = []
    for number in range(int(seen[0]), int(seen[-1]) + 1) if seen else ():
        name = f"{number:02d}"
        waits = [waited for of, waited in called if of == name]
        mean = round(fmean(waits), 1) if waits else None
        rows.append(
            {
                "hour": name,
                "issued": came.count(name),
                "called": len(waits),
                "served": served.count(name),
                "meanWait": mean,
            }
        )
    return rows


def _counters(services: Sequence[Service]) -> list[CounterReportView]:
    rows: list[CounterReportView] = []
    for name in sorted({service.counter_id for service in services}):
        at_counter = [service for service in services if service.counter_id == name]
        rows.append(
            {
                "counterId": name,
                "served": sum(service.end == EventType.TOKEN_SERVED for service in at_counter),
                "noShow": sum(service.end == EventType.TOKEN_NO_SHOW for service in at_counter),
                "service": times(took for service in at_counter if (took := _took(service)) is not None),
            }
        )
    return rows
