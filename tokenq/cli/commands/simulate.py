"""``tokenq simulate``: a past day with other counters and ratios."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.days import day_of
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Day, Department, Json, ratio_of
from tokenq.cli.plots import bar, minutes
from tokenq.contract.names import MOST_COUNTERS
from tokenq.contract.numbers import whole_number

if TYPE_CHECKING:
    from tokenq.contract.report_views import SimulationView


def command(
    dept: Department,
    counters: Annotated[str, typer.Option(metavar="N..M", help="Number of counters: 4 or 3..6.")],
    ratio: Annotated[
        str | None, typer.Option(metavar="R,R", help="Ratios of priority to normal calls, such as 2:1,1:1.")
    ] = None,
    day: Day = None,
    as_json: Json = False,
) -> None:
    """Simulate how long customers would have waited on a past day with other counters or another ratio.

    The customers are all who came on the day, with their service times; those never called get service times drawn from
    the others'. The order follows the same policy as live calls.
    """
    ratios = [ratio_of(text) for text in ratio.split(",")] if ratio else []
    view = connect().simulate(dept, _numbers(counters), ratios, day_of(day))
    if as_json:
        output.document(view)
    else:
        _show(view)


def _numbers(typed: str) -> str:
    """Return the range of counters as the API writes it. Raises WrongUse."""
    first, _, last = typed.replace("..", "-").partition("-")
    ends = [end.strip() for end in (first, last or first)]
    least, most = map(whole_number, ends)
    if least is None or most is None or not 0 < least <= most:
        raise WrongUse(f"'{typed}' is not a number or range of counters.", "Write 4 or 3..6.")
    if most > MOST_COUNTERS:
        raise WrongUse(f"At most {MOST_COUNTERS} counters are possible, not {ends[1]}.", "Write 4 or 3..6.")
    return "-".join(ends)


def _show(view: "SimulationView") -> None:
    output.line(f"{view['departmentId']}, {view['businessDay']}: {_customers(view)}")
    if not view["customers"]:
        return
    actual, within = view["asItWas"], f"Within {view['serviceLevelMinutes']} min"
    top = max([actual["p90"] or 0, *(setting["waiting"]["p90"] or 0 for setting in view["settings"])])
    past = (minutes(actual["p50"]), minutes(actual["p90"]), minutes(actual["max"]))
    level = view.get("asItWasServiceLevel")
    rows = [("actual", "", *past, f"{level} %" if level is not None else "", bar(actual["p90"], top) or " ")]
    for setting in view["settings"]:
        waits = setting["waiting"]
        shown = (minutes(waits["p50"]), minutes(waits["p90"]), minutes(waits["max"]))
        drawn = bar(waits["p90"], top) or " "
        rows.append((str(setting["counters"]), setting["ratio"], *shown, f"{setting['serviceLevel']} %", drawn))
    output.table(("Counters", "Ratio", "Median", "90 %", "Longest", within, "90 % wait"), rows)
    _show_classes(view)


def _customers(view: Mapping[str, Any]) -> str:
    """Who is simulated; an older server leaves out those who were never called."""
    if "neverCalled" not in view:
        return f"{view['customers']} customers were called."
    if not view["neverCalled"]:
        return f"{view['customers']} customers came, and all were called."
    return (
        f"{view['customers']} customers came. Never called: {view['neverCalled']}; "
        "they are simulated with service times drawn from the others'."
    )


def _show_classes(view: "SimulationView") -> None:
    rows = [
        (setting["counters"], setting["ratio"], name, waits["count"], minutes(waits["p50"]), minutes(waits["p90"]))
        for setting in view["settings"]
        for name, waits in setting["classes"].items()
        if waits["count"] and waits["count"] < view["customers"]
    ]
    if rows:
        output.table(("Counters", "Ratio", "Class", "Customers", "Median", "90 %"), rows)
