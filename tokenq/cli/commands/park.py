"""``tokenq park``: set a person aside."""

from typing import Annotated

import typer

from tokenq.cli.branch_time import zone_of
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import AtCounter, Json, Reason, Token
from tokenq.cli.reasons import CommandReason
from tokenq.cli.tokens import check_at, clock, move_found
from tokenq.contract.problems import refuse
from tokenq.zones import at_clock


def command(
    token: Token,
    until: Annotated[
        str | None, typer.Option(metavar="HH:MM", help="Resume automatically at this time of the branch.")
    ] = None,
    minutes: Annotated[
        int | None,
        typer.Option("--for", metavar="MINUTES", help="Resume automatically after MINUTES.", min=1, max=1440),
    ] = None,
    reason: Reason = None,
    at: AtCounter = None,
    as_json: Json = False,
) -> None:
    """Set a called person aside, to come back later; the counter is free again."""
    if until and minutes:
        raise WrongUse("--until and --for say two times.", "Give one of them.")
    if until:
        _today(until, "")  # a mistake is told before anybody is asked
    client = connect()
    found = client.find_token(token)
    check_at(found, at)
    zone = zone_of(client, found["branchId"])
    if found["state"] == "PARKED":
        # The server takes a repeated move for the same one, and keeps the time of the first.
        until_when = _until(found["parkedUntil"], zone)
        raise refuse(CommandReason.PARKED_ALREADY, number=found["displayNumber"], until=until_when)
    moment = _today(until, zone) if until else None
    move_found(client, found, "park", as_json=as_json, until=moment, untilMinutes=minutes, reason=reason)


def _until(instant: str | None, zone: str) -> str:
    return f" until {clock(instant, zone)[:5]}" if instant else ""


def _today(text: str, zone: str) -> str:
    """A time of the branch's clock, today, with its offset."""
    try:
        return at_clock(text, zone).isoformat()
    except ValueError:
        raise WrongUse(f"'{text}' is no time of day.", "Write it as 14:30.") from None
