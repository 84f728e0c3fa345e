"""Opening hours on the command line."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli.exits import WrongUse
from tokenq.cli.reasons import CommandReason
from tokenq.contract.hours import ALWAYS, read_hours, write_hours
from tokenq.contract.problems import refuse

if TYPE_CHECKING:
    from tokenq.contract.views import HoursDocument


def _dates(typed: list[str] | None) -> list[str]:
    return [_date(one) for one in typed or []]


def _date(typed: str) -> str:
    try:
        return date.fromisoformat(typed.strip()).isoformat()
    except ValueError:
        raise typer.BadParameter(f"'{typed}' is no date, such as 2026-12-25.") from None


ClosedOn = Annotated[
    list[str] | None,
    typer.Option(
        "--closed-on",
        metavar="DATE",
        help="Closed on this day, such as 2026-12-25; may be repeated.",
        callback=_dates,
    ),
]
AsUsualOn = Annotated[
    list[str] | None,
    typer.Option(
        "--as-usual-on",
        metavar="DATE",
        help="This day is an ordinary one again: takes back --closed-on; may be repeated.",
        callback=_dates,
    ),
]
_ALWAYS = ("always", "none")


def department_hours(
    typed: str | None, closed_on: Sequence[str], now: "HoursDocument | None", as_usual_on: Sequence[str] = ()
) -> "HoursDocument | None":
    """The hours that a department shall have, which has ``now``; ``None`` are its branch's.

    Other hours leave the days alone that were closed before.

    Raises:
        WrongUse: they make no sense.
        Refused: a day that shall be as usual is so already.
    """
    if typed and typed.lower() == "branch":
        if closed_on or as_usual_on:
            raise WrongUse("A department with its branch's hours has no days of its own.", "Close the branch instead.")
        return None
    if not typed and now is None:
        raise WrongUse("It has its branch's hours.", "Give --hours as well, or close the branch on that day.")
    hours = _read(typed) if typed else now
    return _with_days(hours, closed_on, now, as_usual_on) if hours else None


def branch_hours(
    typed: str | None, closed_on: Sequence[str], now: "HoursDocument | None", as_usual_on: Sequence[str] = ()
) -> "HoursDocument | None":
    """The hours that a branch shall have, which has ``now``; ``None``: always open. Raises as above."""
    wanted = now
    if typed:
        wanted = None if typed.lower() in _ALWAYS else _read(typed)
    changed = _with_days(wanted or read_hours(ALWAYS), closed_on, now if wanted else None, as_usual_on)
    return changed if wanted or closed_on else None


def shown_hours(hours: "HoursDocument | None", otherwise: str) -> str:
    """Hours for people; ``otherwise`` stands for none."""
    return write_hours(hours) if hours else otherwise


def shown_week(hours: "HoursDocument | None", otherwise: str) -> str:
    """An ordinary week for people; ``otherwise`` stands for none."""
    return write_hours({"weekly": hours["weekly"], "exceptions": {}}) if hours else otherwise


def check_hours(typed: str | None) -> None:
    """Refuse hours that cannot be read, before any server is asked. Raises WrongUse."""
    if typed and typed.lower() not in ("branch", *_ALWAYS):
        _read(typed)


def _read(typed: str) -> "HoursDocument":
    try:
        return read_hours(ALWAYS if typed.lower() in _ALWAYS else typed)
    except ValueError as error:
        raise WrongUse(f"--hours {error}.", "Such as 'mon-fri 08:00-12:00, 13:00-17:00; sat 09:00-12:00'.") from None


def _with_days(
    hours: "HoursDocument", closed_on: Sequence[str], now: "HoursDocument | None", as_usual_on: Sequence[str]
) -> "HoursDocument":
    """The hours with the single days of before and those that are closed from now on."""
    kept = now["exceptions"] if now else {}
    for day in as_usual_on:
        if day not in kept:
            raise refuse(CommandReason.NO_HOURS_OF_ITS_OWN, day=day)
    days = {**kept, **hours["exceptions"], **{day: [] for day in closed_on}}
    return {"weekly": hours["weekly"], "exceptions": {day: days[day] for day in days if day not in as_usual_on}}
