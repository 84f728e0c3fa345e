"""Reports as CSV: every figure that the screen and the JSON have, safe for spreadsheets."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tokenq.printable import printable

_FORMULA = re.compile(r"(^\s*|[;,\t|]\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet may see a formula begin: in front, or behind what it takes for a separator."""

_CAPITAL = re.compile(r"(?=[A-Z])")
_NO_FIGURES = {"hour", "meanWait", "counterId", "operator", "key", "name", "departmentId", "businessDay", "timezone"}

Row = dict[str, object]


def day_csv(views: Iterable[Mapping[str, Any]]) -> str:
    """Return the reports of single days: rows for the day, its classes, hours, counters and operators."""
    rows = [row for view in views for row in _day_rows(view)]
    return _text(rows, ("department", "name", "day", "hour", "came", "called", "served", "mean_wait_seconds"))


def table_csv(views: Iterable[Mapping[str, Any]]) -> str:
    """Return reports over several days: rows for the total, its classes, and what they are listed by."""
    rows = [row for view in views for row in _table_rows(view)]
    return _text(rows, ("branch", "department", "name", "first_day", "last_day", "departments", "slice", "key"))


def _day_rows(view: Mapping[str, Any]) -> Iterable[Row]:
    def row(kind: str, key: object, figures: Mapping[str, Any]) -> Row:
        flat = _figures(figures)
        old = {name: flat.pop(name, None) for name in ("issued", "called", "served")}
        mean = figures.get("waiting", {}).get("mean", figures.get("meanWait"))
        return {
            "department": view["departmentId"],
            "name": view["name"],
            "day": view["businessDay"],
            "hour": key if kind == "hour" else None,
            "came": old["issued"],
            "called": old["called"],
            "served": old["served"],
            "mean_wait_seconds": mean,
            "slice": kind,
            "key": key,
            **flat,
        }

    yield row("day", view["businessDay"], view)
    for name, waits in view["classes"].items():
        yield row("class", name, {"waiting": waits})
    for hour in view["hours"]:
        yield row("hour", hour["hour"], hour)
    for counter in view["counters"]:
        yield row("counter", counter["counterId"], counter)
    for operator in view.get("operators", ()):
        yield row("operator", operator["operator"], operator)


def _table_rows(view: Mapping[str, Any]) -> Iterable[Row]:
    of_view: Row = {
        "branch": view["branchId"],
        "department": view["departmentId"],
        "name": view["name"],
        "first_day": view["firstDay"],
        "last_day": view["lastDay"],
        "departments": " ".join(view["departments"]),
    }
    yield {**of_view, "slice": "total", "key": None, **_figures(view["total"])}
    for name, waits in view["classes"].items():
        yield {**of_view, "slice": "class", "key": name, **_figures({"waiting": waits})}
    for row in view["rows"]:
        yield {**of_view, "slice": view["by"], "key": row["key"], **_figures(row)}


def _figures(view: Mapping[str, Any]) -> Row:
    """The numbers of a view by column: ``noShow`` is ``no_show``, ``waiting.p90`` is ``waiting_p90_seconds``."""
    flat: Row = {}
    for name, value in view.items():
        column = _CAPITAL.sub("_", name).lower()
        if isinstance(value, Mapping) and "p50" in value:
            flat |= {f"{column}_{part}" + ("" if part == "count" else "_seconds"): of for part, of in value.items()}
        elif name in ("serviceLevel", "estimates"):
            flat |= {f"{column}_{_CAPITAL.sub('_', part).lower()}": of for part, of in value.items()}
        elif name not in _NO_FIGURES and not isinstance(value, Mapping | list):
            flat[column] = value
    return flat


def _text(rows: list[Row], first: tuple[str, ...]) -> str:
    columns = dict.fromkeys((*first, *(name for row in rows for name in row)))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(_cell(row.get(name)) for name in columns)
    return text.getvalue()


def _cell(value: object) -> str:
    """A CSV cell without control characters, in which no spreadsheet sees a formula."""
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    return _FORMULA.sub(r"\1'", printable(value))
