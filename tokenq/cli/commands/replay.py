"""``tokenq replay``: replay a day, on the board or as a stream of events."""

import sys
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.context import connect
from tokenq.cli.days import day_of
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.options import Day, Departments, Json
from tokenq.cli.playback import paced
from tokenq.contract.events import BadEvent, Event, from_wire, to_wire
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.zones import at_clock

if TYPE_CHECKING:
    from tokenq.client import Client
    from tokenq.contract.views import BranchView


def command(
    dept: Departments = None,
    day: Day = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="HH:MM",
            help="Start at this time (branch time); before the day's first hour: in the night.",
        ),
    ] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=10_000, help="Speed-up factor.")] = 20.0,
    light: Annotated[bool, typer.Option("--light", help="Use the light theme.")] = False,
    as_json: Json = False,
) -> int:
    """Replay a day from the log on the board. Space pauses, the arrow keys skip. Changes nothing."""
    if light and as_json:
        raise WrongUse("--light is for the board, --json goes to stdout.", "Leave out one of them.")
    of_day = day_of(day)
    if start:
        _at(start, "", date(2000, 1, 1))  # report a typing mistake before the first request
    is_stream = as_json or not sys.stdout.isatty()
    client = connect()
    events = _events(client, dept, of_day)
    if not events:
        output.line("Nothing happened on that day.")
        return 0
    first = events[0]
    branch = _branch(client, first.branch_id)
    zone = branch["timezone"] if branch else ""
    begin = first.timestamp - timedelta(seconds=1)
    if start:
        begin = _in_business_day(start, zone, first.business_day, branch["rolloverHour"] if branch else 0)
    if is_stream:
        for event in paced(events, begin, speed):
            output.record(to_wire(event))
        return 0
    with launch.part("tokenq_tui.board", "tui") as screen:
        return int(screen.replay(events=events, begin=begin, speed=speed, light=light, timezone=zone))


def _events(client: "Client", dept: list[str] | None, day: str | None) -> list[Event]:
    names = [name.strip().upper() for name in dept or ()] or [view["departmentId"] for view in client.departments()]
    logs: list[dict[str, Any]] = [entry for name in names for entry in client.day_log(name, day)]
    return sorted(_readable(logs), key=lambda event: (event.timestamp, event.department_id, event.seq))


def _readable(logs: list[dict[str, Any]]) -> list[Event]:
    """The entries that are valid events; the others are skipped."""
    events: list[Event] = []
    for entry in logs:
        with suppress(BadEvent):
            events.append(from_wire(entry))
    if skipped := len(logs) - len(events):
        echo(f"{skipped} of the day's {len(logs)} entries are unreadable and skipped; see 'tokenq verify'.")
    return events


def _branch(client: "Client", name: str) -> "BranchView | None":
    """Return the branch; ``None`` if the server does not provide it."""
    try:
        return client.branch(name)
    except (Refused, TokenqError):
        return None


def _in_business_day(text: str, zone: str, business_day: str, rollover_hour: int) -> datetime:
    """Return a time of a business day; what is before its first hour on the clock belongs to the next date."""
    day = date.fromisoformat(business_day)
    begin = _at(text, zone, day)
    return begin if begin.hour >= rollover_hour else _at(text, zone, day + timedelta(days=1))


def _at(text: str, zone: str, day: date) -> datetime:
    """Return a time of day of the branch, on a given date."""
    try:
        return at_clock(text, zone, day=day)
    except ValueError:
        raise WrongUse(f"'{text}' is not a time of day.", "Write it as 09:00.") from None
