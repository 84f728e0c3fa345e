"""``tokenq report``: the statistics of a day."""

import csv
import io
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.days import day_of
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Day, Departments, Json
from tokenq.cli.plots import bar, minutes, spark

if TYPE_CHECKING:
    from tokenq.contract.report_views import EstimatesView, ReportView, TimesView

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def command(
    dept: Departments = None,
    day: Day = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one row per hour, safe for spreadsheets.")] = False,
    as_json: Json = False,
) -> None:
    """Show a day's waiting, walking and service times, per hour and counter, and how accurate the estimates were."""
    if as_csv and as_json:
        raise WrongUse("CSV and JSON cannot both go to stdout.", "Leave out --csv or --json.")
    of_day = day_of(day)
    client = connect()
    departments = dept or [view["departmentId"] for view in client.departments()]
    views = [client.report(department, of_day) for department in departments]
    if as_json:
        output.document({"items": views})
    elif as_csv:
        output.raw(_csv(views).rstrip("\n"))
    else:
        for view in views:
            _show(view)


def _show(view: "ReportView") -> None:
    output.line(f"{view['departmentId']} {view['name']}, {view['businessDay']}")
    elsewhere = f", plus {view['transferredIn']} transferred in" if view["transferredIn"] else ""
    missed = f" ({view['noShowPercent']} %)" if view["noShow"] else ""
    output.fields(
        [
            ("Issued", f"{view['issued']}{elsewhere}"),
            ("Called", view["called"]),
            ("Served", view["served"]),
            ("No-shows", f"{view['noShow']}{missed}"),
            ("Left or transferred", view["cancelled"] + view["transferredOut"] + view["expired"]),
            ("Waiting", _times(view["waiting"], "waits; a return to the queue counts again")),
            *((f"  {name}", _times(waits)) for name, waits in view["classes"].items() if waits["count"]),
            ("Walking", _times(view["walking"])),
            ("Service", _times(view["service"])),
            ("Service level", _level(view)),
            ("Estimates", _estimates(view["estimates"])),
        ]
    )
    if view["hours"]:
        _show_hours(view)


def _show_hours(view: "ReportView") -> None:
    hours = view["hours"]
    output.line(f"Issued by hour  {spark([hour['issued'] for hour in hours])}  from {hours[0]['hour']}:00")
    top = max((hour["meanWait"] or 0 for hour in hours), default=0)
    output.table(
        ("Hour", "Issued", "Calls", "Served", "Mean wait", ""),
        (
            (
                f"{hour['hour']}:00",
                hour["issued"],
                hour["called"],
                hour["served"],
                minutes(hour["meanWait"]),
                bar(hour["meanWait"], top) or " ",
            )
            for hour in hours
        ),
    )
    output.table(
        ("Counter", "Served", "No-shows", "Mean service"),
        (
            (counter["counterId"], counter["served"], counter["noShow"], minutes(counter["service"]["mean"]))
            for counter in view["counters"]
        ),
    )


def _times(view: "TimesView", what: str = "times") -> str:
    if not view["count"]:
        return ""
    shown = f"mean {minutes(view['mean'])}, median {minutes(view['p50'])}"
    return f"{shown}, 90 % within {minutes(view['p90'])}, longest {minutes(view['max'])}  ({view['count']} {what})"


def _level(view: "ReportView") -> str:
    level = view["serviceLevel"]
    if level["percent"] is None:
        return ""
    return f"{level['percent']} % called within {level['minutes']} min (target {level['target']} %)"


def _estimates(view: "EstimatesView") -> str:
    if not view["count"]:
        return ""
    missed = minutes(view["meanError"])
    inside = f"{view['within']} % of the waits were within the estimated range"
    return f"{inside}; mean error {missed} from its midpoint  ({view['count']})"


def _csv(views: "list[ReportView]") -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("department", "name", "day", "hour", "came", "called", "served", "mean_wait_seconds"))
    for view in views:
        for hour in view["hours"]:
            row = (
                view["departmentId"],
                view["name"],
                view["businessDay"],
                hour["hour"],
                hour["issued"],
                hour["called"],
            )
            writer.writerow(map(_cell, (*row, hour["served"], hour["meanWait"])))
    return text.getvalue()


def _cell(value: object) -> str:
    """A CSV cell, escaped so that no spreadsheet evaluates it as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) else text
