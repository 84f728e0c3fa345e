"""Opening-hours options of the command line."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli.department_settings import ALWAYS_OPEN, BRANCH_HOURS
from tokenq.cli.exits import WrongUse
from tokenq.cli.reasons import CommandReason
from tokenq.contract.hours import ALWAYS, read_hours, write_hours
from tokenq.contract.problems import refuse

if TYPE_CHECKING:
    from tokenq.contract.views import HoursDocument


def _dates(typed: list[str] | None) -> list[str]:
    return [_date(text) for text in typed or []]


def _date(typed: str) -> str:
    try:
        return date.fromisoformat(typed.strip()).isoformat()
    except ValueError:
        raise typer.BadParameter(f"'{typed}' is not a date, such as 2026-12-25.") from None


ClosedOn = Annotated[
    list[str] | None,
    typer.Option(
        "--closed-on",
        metavar="DATE",
        help="Close on this date, such as 2026-12-25; repeatable.",
        callback=_dates,
    ),
]
AsUsualOn = Annotated[
    list[str] | None,
    typer.Option(
        "--as-usual-on",
        metavar="DATE",
        help="Use the regular hours on this date again (reverses --closed-on); repeatable.",
        callback=_dates,
    ),
]


def department_hours(
    typed: str | None, closed_on: Sequence[str], current: "HoursDocument | None", as_usual_on: Sequence[str] = ()
) -> "HoursDocument | None":
    """Return a department's new hours; ``current`` are those it has, ``None`` means those of its branch.

    New weekly hours keep the closed days.

    Raises:
        WrongUse: the options are invalid or contradict each other.
        Refused: a day in ``as_usual_on`` has no exception.
    """
    if typed and typed.lower() == BRANCH_HOURS:
        if closed_on or as_usual_on:
            raise WrongUse(
                "A department that uses its branch's hours cannot have its own closed days.",
                "Close the branch instead.",
            )
        return None
    if not typed and current is None:
        raise WrongUse("The department uses its branch's hours.", "Add --hours, or close the branch on that day.")
    hours = _read(typed) if typed else current
    return _with_days(hours, closed_on, current, as_usual_on) if hours else None


def branch_hours(
    typed: str | None, closed_on: Sequence[str], current: "HoursDocument | None", as_usual_on: Sequence[str] = ()
) -> "HoursDocument | None":
    """Return a branch's new hours; ``None`` means always open. Raises like :func:`department_hours`."""
    weekly = current
    if typed:
        weekly = None if typed.lower() in ALWAYS_OPEN else _read(typed)
    changed = _with_days(weekly or read_hours(ALWAYS), closed_on, current if weekly else None, as_usual_on)
    return changed if weekly or closed_on else None


def shown_hours(hours: "HoursDocument | None", otherwise: str) -> str:
    """Return hours as text; ``otherwise`` if there are none."""
    return write_hours(hours) if hours else otherwise


def shown_week(hours: "HoursDocument | None", otherwise: str) -> str:
    """Return the weekly hours as text; ``otherwise`` if there are none."""
    return write_hours({"weekly": hours["weekly"], "exceptions": {}}) if hours else otherwise


def check_hours(typed: str | None) -> None:
    """Check the hours before any request is sent. Raises WrongUse."""
    if typed and typed.lower() not in (BRANCH_HOURS, *ALWAYS_OPEN):
        _read(typed)


def _read(typed: str) -> "HoursDocument":
    try:
        return read_hours(ALWAYS if typed.lower() in ALWAYS_OPEN else typed)
    except ValueError as error:
        raise WrongUse(f"--hours {error}.", "Example: 'mon-fri 08:00-12:00, 13:00-17:00; sat 09:00-12:00'.") from None


def _with_days(
    hours: "HoursDocument", closed_on: Sequence[str], current: "HoursDocument | None", as_usual_on: Sequence[str]
) -> "HoursDocument":
    """Return ``hours`` with the existing exceptions and the newly closed days."""
    exceptions = current["exceptions"] if current else {}
    for day in as_usual_on:
        if day not in exceptions:
            raise refuse(CommandReason.NO_HOURS_OF_ITS_OWN, day=day)
    days = {**exceptions, **hours["exceptions"], **{day: [] for day in closed_on}}
    return {"weekly": hours["weekly"], "exceptions": {day: days[day] for day in days if day not in as_usual_on}}
