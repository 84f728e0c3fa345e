"""``tokenq simulate``: a real day with other counters and another order."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.days import day_of
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Day, Department, Json, ratio_of
from tokenq.cli.plots import bar, minutes
from tokenq.contract.names import MOST_COUNTERS

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
    ratios = [ratio_of(one) for one in ratio.split(",")] if ratio else []
    view = connect().simulate(dept, _numbers(counters), ratios, day_of(day))
    if as_json:
        output.document(view)
    else:
        _show(view)


def _numbers(typed: str) -> str:
    """How many counters, as the API writes it. Raises WrongUse."""
    first, _, last = typed.replace("..", "-").partition("-")
    ends = [one.strip() for one in (first, last or first)]
    if not all(one.isascii() and one.isdigit() for one in ends) or not 0 < int(ends[0]) <= int(ends[1]):
        raise WrongUse(f"'{typed}' are no numbers of counters.", "Write 4, or 3..6.")
    if int(ends[1]) > MOST_COUNTERS:
        raise WrongUse(f"{MOST_COUNTERS} counters are the most, not {ends[1]}.", "Write 4, or 3..6.")
    return "-".join(ends)


def _show(view: "SimulationView") -> None:
    output.line(f"{view['departmentId']}, {view['businessDay']}: {view['customers']} people were called.")
    if not view["customers"]:
        return
    was, within = view["asItWas"], f"Within {view['serviceLevelMinutes']} min"
    top = max([was["p90"] or 0, *(one["waiting"]["p90"] or 0 for one in view["settings"])])
    past = (minutes(was["p50"]), minutes(was["p90"]), minutes(was["max"]))
    level = view.get("asItWasServiceLevel")
    rows = [("as it was", "", *past, f"{level} %" if level is not None else "", bar(was["p90"], top) or " ")]
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
