"""``tokenq simulate``: a real day with other counters and another order."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.days import day_of
from tokenq.cli.options import Day, Department, Json
from tokenq.cli.plots import bar, minutes

if TYPE_CHECKING:
    from tokenq.contract.report_views import SimulationView


def command(
    dept: Department,
    counters: Annotated[str, typer.Option(metavar="N..M", help="How many counters: 4, or 3..6.")],
    ratio: Annotated[
        str | None, typer.Option(metavar="R,R", help="Ratios of priority to normal, such as 2:1,1:1.")
    ] = None,
    day: Day = None,
    as_json: Json = False,
) -> None:
    """Show how long people would have waited on a real day with other counters or another ratio.

    The customers and the time each took are those of the day; who goes before whom is the same policy as live.
    """
    ratios = [one.strip() for one in ratio.split(",")] if ratio else []
    view = connect().simulate(dept, counters.replace("..", "-"), ratios, day_of(day))
    if as_json:
        output.document(view)
    else:
        _show(view)


def _show(view: "SimulationView") -> None:
    output.line(f"{view['departmentId']}, {view['businessDay']}: {view['customers']} people were called.")
    if not view["customers"]:
        return
    was, within = view["asItWas"], f"Within {view['serviceLevelMinutes']} min"
    top = max([was["p90"] or 0, *(one["waiting"]["p90"] or 0 for one in view["settings"])])
    past = (minutes(was["p50"]), minutes(was["p90"]), minutes(was["max"]))
    rows = [("as it was", "", *past, "", bar(was["p90"], top) or " ")]
    for one in view["settings"]:
        waits = one["waiting"]
        shown = (minutes(waits["p50"]), minutes(waits["p90"]), minutes(waits["max"]))
        drawn = bar(waits["p90"], top) or " "
        rows.append((str(one["counters"]), one["ratio"], *shown, f"{one['serviceLevel']} %", drawn))
    output.table(("Counters", "Ratio", "Half wait", "Nine of ten", "Longest", within, "Nine of ten wait"), rows)
    _show_classes(view)


def _show_classes(view: "SimulationView") -> None:
    rows = [
        (one["counters"], one["ratio"], name, waits["count"], minutes(waits["p50"]), minutes(waits["p90"]))
        for one in view["settings"]
        for name, waits in one["classes"].items()
        if waits["count"] and waits["count"] < view["customers"]
    ]
    if rows:
        output.table(("Counters", "Ratio", "Class", "People", "Half wait", "Nine of ten"), rows)
