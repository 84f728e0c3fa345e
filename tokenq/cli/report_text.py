"""Reports as text for people. Numbers are shown as the server computed them; an older server sends fewer."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tokenq.cli import output
from tokenq.cli.plots import bar, minutes, spark

if TYPE_CHECKING:
    from tokenq.contract.report_views import EstimatesView, TimesView

_NOWHERE = "no counter"


def show_day(view: Mapping[str, Any]) -> None:
    """Print the report of a day."""
    output.line(f"{view['departmentId']} {view['name']}, {view['businessDay']}")
    output.fields(_figures(view, view["classes"]))
    if view["hours"]:
        _show_hours(view["hours"])
    at_counters = [("Counter", "counterId", view["counters"]), ("Operator", "operator", view.get("operators", ()))]
    for title, key, rows in at_counters:
        if rows:
            _show_rows(title, ((row[key], row) for row in rows))


def show_table(view: Mapping[str, Any]) -> None:
    """Print the report of a range of days."""
    days = view["firstDay"] if view["firstDay"] == view["lastDay"] else f"{view['firstDay']} to {view['lastDay']}"
    output.line(f"{view['departmentId'] or view['branchId']} {view['name']}, {days}")
    if view["departmentId"] is None:
        output.line("Departments: " + (", ".join(view["departments"]) or "none"))
    output.fields(_figures(view["total"], view["classes"]))
    by = view["by"]
    if not by:
        return
    nowhere = _NOWHERE if by in ("counter", "operator") else ""
    names = ((f"{row['key'] or nowhere} {row['name'] or ''}".strip(), row) for row in view["rows"])
    _show_rows(by.capitalize(), ((f"{name}:00" if by == "hour" else name, row) for name, row in names))


def _figures(view: Mapping[str, Any], classes: Mapping[str, "TimesView"]) -> list[tuple[str, object]]:
    apart = view.get("transferredIn", 0)
    missed = f" ({view['noShowPercent']} %)" if view["noShow"] else ""
    return [
        ("Issued", f"{view['issued']}, plus {apart} transferred in" if apart else view["issued"]),
        ("Called", view["called"]),
        ("Served", view["served"]),
        ("No-shows", f"{view['noShow']}{missed}"),
        ("Cancelled", view["cancelled"]),
        ("Expired", view["expired"]),
        ("Transferred out", view["transferredOut"]),
        *_given(view, "unfinished", "Unfinished"),
        *_given(view, "abandoned", "Left uncalled"),
        ("Wait to first call", _times(view["waiting"], "visit")),
        *((f"  {name}", _times(waits, "visit")) for name, waits in classes.items() if waits["count"]),
        *_given(view, "furtherCalls", "Further calls"),
        *([("  waiting again", _times(view["furtherWaiting"], "call"))] if view.get("furtherCalls") else []),
        *_given(view, "recalls", "Recalls"),
        *([("Further legs", view["furtherLegs"])] if view.get("furtherLegs") else []),
        ("Walking", _times(view["walking"], "time")),
        ("Service", _times(view["service"], "time")),
        ("Service level", _level(view["serviceLevel"])),
        ("Estimates", _estimates(view["estimates"])),
    ]


def _given(view: Mapping[str, Any], name: str, label: str) -> list[tuple[str, object]]:
    return [(label, view[name])] if name in view else []


def _show_hours(hours: list[Mapping[str, Any]]) -> None:
    output.line(f"Issued by hour  {spark([hour['issued'] for hour in hours])}  from {hours[0]['hour']}:00")
    top = max((hour["meanWait"] or 0 for hour in hours), default=0)
    output.table(
        ("Hour", "Issued", "Called", "Further calls", "Served", "Mean wait", ""),
        (
            (
                f"{hour['hour']}:00",
                hour["issued"],
                hour["called"],
                hour.get("furtherCalls"),
                hour["served"],
                minutes(hour["meanWait"]),
                bar(hour["meanWait"], top) or " ",
            )
            for hour in hours
        ),
    )


def _show_rows(title: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Print rows of figures; what none of them has is left out."""
    listed = list(rows)
    columns = [column for column in _COLUMNS if any(column[1](row) not in (None, 0, "") for _, row in listed)]
    output.table(
        (title, *(name for name, _ in columns)),
        [(name, *(shown(row) for _, shown in columns)) for name, row in listed],
    )


def _mean(name: str, part: str = "mean") -> Any:
    return lambda row: minutes(row.get(name, {}).get(part))


def _percent(row: Mapping[str, Any]) -> str:
    share = row.get("serviceLevel", {}).get("percent")
    return "" if share is None else f"{share} %"


_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("Issued", lambda row: row.get("issued")),
    ("Transferred in", lambda row: row.get("transferredIn")),
    ("Called", lambda row: row.get("called")),
    ("Further calls", lambda row: row.get("furtherCalls")),
    ("Recalls", lambda row: row.get("recalls")),
    ("Served", lambda row: row["served"]),
    ("No-shows", lambda row: row["noShow"]),
    ("Cancelled", lambda row: row.get("cancelled")),
    ("Expired", lambda row: row.get("expired")),
    ("Transferred out", lambda row: row.get("transferredOut")),
    ("Unfinished", lambda row: row.get("unfinished")),
    ("Left uncalled", lambda row: row.get("abandoned")),
    ("Mean wait", _mean("waiting")),
    ("90 % wait", _mean("waiting", "p90")),
    ("Mean service", _mean("service")),
    ("In time", _percent),
)


def _times(view: "TimesView", what: str) -> str:
    if not view["count"]:
        return ""
    shown = f"mean {minutes(view['mean'])}, median {minutes(view['p50'])}"
    return (
        f"{shown}, 90 % within {minutes(view['p90'])}, longest {minutes(view['max'])}  ({_number(view['count'], what)})"
    )


def _level(level: Mapping[str, Any]) -> str:
    if level["percent"] is None:
        return ""
    within = "in time" if level["minutes"] is None else f"called within {level['minutes']} min"
    target = "" if level["target"] is None else f" (target {level['target']} %)"
    counted = f"; {level['inTime']} of {_number(level['counted'], 'visit')}" if "counted" in level else ""
    return f"{level['percent']} % {within}{target}{counted}"


def _number(count: int, what: str) -> str:
    """A count with its noun."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _estimates(view: "EstimatesView") -> str:
    if not view["count"]:
        return ""
    missed = minutes(view["meanError"])
    inside = f"{view['within']} % of the waits were within the estimated range"
    return f"{inside}; mean error {missed} from its midpoint  ({view['count']})"
