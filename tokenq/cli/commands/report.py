"""``tokenq report``: the statistics of a day, or of a range by rows."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.days import day_of, range_end_of
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Departments, Json
from tokenq.contract.days import LAST_WEEK, TODAY
from tokenq.contract.enums import ReportBy
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import OlderServer

if TYPE_CHECKING:
    from tokenq.client import Client

_DAYS = "today, yesterday, last-week or a date such as 2026-11-23"


def command(
    dept: Departments = None,
    day: Annotated[str | None, typer.Option("--day", metavar="DAY", help=f"{_DAYS}.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help=f"First day: {_DAYS}.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day; default: today.")] = None,
    by: Annotated[ReportBy | None, typer.Option("--by", help="Split the figures by this.")] = None,
    branch: Annotated[
        str | None, typer.Option("--branch", metavar="BRANCH", help="A branch as a whole, instead of departments.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all figures as CSV, safe for spreadsheets.")] = False,
    as_json: Json = False,
) -> None:
    """Show waiting, walking and service times, no-shows, service level, and how accurate the estimates were.

    For a day of each department, per hour, counter and operator. With --from, --to or --by, for a range of days of a
    department or, without DEPT, of each branch. The words for days are the branch's business days.
    """
    if as_csv and as_json:
        raise WrongUse("CSV and JSON cannot both go to stdout.", "Leave out --csv or --json.")
    if branch and dept:
        raise WrongUse("A report covers a branch or departments, not both.", "Leave out --branch or DEPT.")
    days = _range(day, first, last, is_table=by is not None or branch is not None)
    client = connect()
    if days is None:
        of_day = day_of(day)
        views = _permitted(
            dept, () if dept else _department_ids(client, of_day), lambda name: client.report(name, of_day)
        )
    else:
        views = _tables(client, dept, branch, days, by)
    _print(views, is_table=days is not None, as_csv=as_csv, as_json=as_json)


def _range(
    day: str | None, first: str | None, last: str | None, *, is_table: bool
) -> tuple[str | None, str | None] | None:
    """Return the ends of the range requested; ``None`` for the report of one day. Raises WrongUse."""
    if day is not None and (first is not None or last is not None):
        raise WrongUse("A report covers a day or a range, not both.", "Leave out --day, or --from and --to.")
    if last is not None and first is None:
        raise WrongUse("The range has an end but no start.", "Add --from.")
    start, end = range_end_of(first), range_end_of(last)
    only = range_end_of(day)
    if only == LAST_WEEK or (is_table and first is None):
        return only or TODAY, only or TODAY
    return (start, end) if first is not None else None


def _tables(
    client: "Client",
    dept: list[str] | None,
    branch: str | None,
    days: tuple[str | None, str | None],
    by: ReportBy | None,
) -> list[Any]:
    if dept:
        return [client.department_table(name, *days, by) for name in dept]
    if branch:
        return [client.branch_table(branch, *days, by)]
    branches = (view["branchId"] for view in client.branches())
    views = _permitted(None, branches, lambda name: client.branch_table(name, *days, by))
    return [view for view in views if view["departments"]]


def _department_ids(client: "Client", day: str | None) -> list[str]:
    """Return all departments, and those that were deleted since the day but have figures on it."""
    names = {view["departmentId"] for view in client.departments()}
    for branch in client.branches():
        try:
            table = client.branch_table(branch["branchId"], day or TODAY, day or TODAY, ReportBy.DEPARTMENT)
        except OlderServer:
            break
        except Refused as refusal:
            if refusal.problem.code is not ProblemCode.FORBIDDEN:
                raise
            continue  # not theirs
        names |= {str(row["key"]) for row in table["rows"] if row["key"]}
    return sorted(names)


def _permitted(named: list[str] | None, everything: Iterable[str], fetch: Callable[[str], Any]) -> list[Any]:
    """Fetch what was named; else everything that the user may see, or the refusal if that is nothing."""
    if named:
        return [fetch(name) for name in named]
    views, refusal = [], None
    for name in everything:
        try:
            views.append(fetch(name))
        except Refused as error:
            if error.problem.code is not ProblemCode.FORBIDDEN:
                raise
            refusal = error
    if refusal and not views:
        raise refusal
    return views


def _print(views: list[Any], *, is_table: bool, as_csv: bool, as_json: bool) -> None:
    from tokenq.cli.report_csv import day_csv, table_csv
    from tokenq.cli.report_text import show_day, show_table

    if as_json:
        output.document({"items": views})
    elif as_csv:
        output.raw((table_csv if is_table else day_csv)(views).rstrip("\n"))
    else:
        for view in views:
            (show_table if is_table else show_day)(view)
