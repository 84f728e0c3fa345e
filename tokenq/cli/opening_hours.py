"""Opening hours on the command line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli.exits import WrongUse
from tokenq.contract.hours import ALWAYS, read_hours, write_hours

if TYPE_CHECKING:
    from tokenq.contract.views import HoursDocument

ClosedOn = Annotated[
    list[str] | None,
    typer.Option("--closed-on", metavar="DATE", help="Closed on this day, such as 2026-12-25; may be repeated."),
]
_ALWAYS = ("always", "none")


def department_hours(
    typed: str | None, closed_on: Sequence[str], now: "HoursDocument | None"
) -> "HoursDocument | None":
    """The hours that a department shall have, which has ``now``; ``None`` are its branch's. Raises WrongUse."""
    if typed and typed.lower() == "branch":
        if closed_on:
            raise WrongUse("A department with its branch's hours has no days of its own.", "Close the branch instead.")
        return None
    if not typed and now is None:
        raise WrongUse("It has its branch's hours.", "Give --hours as well, or close the branch on that day.")
    return _closed(_read(typed) if typed else now, closed_on)


def branch_hours(typed: str | None, closed_on: Sequence[str], now: "HoursDocument | None") -> "HoursDocument | None":
    """The hours that a branch shall have, which has ``now``; ``None``: always open. Raises WrongUse."""
    if typed:
        now = None if typed.lower() in _ALWAYS else _read(typed)
    return _closed(now or read_hours(ALWAYS), closed_on) if closed_on else now


def shown_hours(hours: "HoursDocument | None", otherwise: str) -> str:
    """Hours for people; ``otherwise`` stands for none."""
    return write_hours(hours) if hours else otherwise


def shown_week(hours: "HoursDocument | None", otherwise: str) -> str:
    """An ordinary week for people; ``otherwise`` stands for none."""
    return write_hours({"weekly": hours["weekly"], "exceptions": {}}) if hours else otherwise


def _read(typed: str) -> "HoursDocument":
    try:
        return read_hours(ALWAYS if typed.lower() in _ALWAYS else typed)
    except ValueError as error:
        raise WrongUse(f"--hours {error}.", "Such as 'mon-fri 08:00-12:00, 13:00-17:00; sat 09:00-12:00'.") from None


def _closed(hours: "HoursDocument | None", days: Sequence[str]) -> "HoursDocument | None":
    if hours is None:
        return None
    return {"weekly": hours["weekly"], "exceptions": {**hours["exceptions"], **{day: [] for day in days}}}
