"""``tokenq park``: set a customer aside."""

from typing import Annotated

import typer

from tokenq.cli.branch_time import zone_of
from tokenq.cli.context import connect, is_repeated
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import AtCounter, Json, Reason, Token
from tokenq.cli.reasons import CommandReason
from tokenq.cli.tokens import check_counter, clock, move_and_show
from tokenq.contract.problems import refuse
from tokenq.zones import at_clock


def command(
    token: Token,
    until: Annotated[
        str | None, typer.Option(metavar="HH:MM", help="Resume automatically at this time (branch time).")
    ] = None,
    minutes: Annotated[
        int | None,
        typer.Option("--for", metavar="MINUTES", help="Resume automatically after MINUTES.", min=1, max=1440),
    ] = None,
    reason: Reason = None,
    at: AtCounter = None,
    as_json: Json = False,
) -> None:
    """Set a called customer aside until later; this frees the counter."""
    if until and minutes:
        raise WrongUse("--until and --for exclude each other.", "Give one of them.")
    if until:
        _today(until, "")  # report a typing mistake before the first request
    client = connect()
    view = client.find_token(token)
    check_counter(view, at)
    zone = zone_of(client, view["branchId"])
    if view["state"] == "PARKED" and not is_repeated():
        # The server treats a repeated move as the same one and keeps the time of the first.
        until_when = _until(view["parkedUntil"], zone)
        raise refuse(CommandReason.PARKED_ALREADY, number=view["displayNumber"], until=until_when)
    moment = _today(until, zone) if until else None
    move_and_show(client, view, "park", as_json=as_json, until=moment, untilMinutes=minutes, reason=reason)


def _until(instant: str | None, zone: str) -> str:
    return f" until {clock(instant, zone)[:5]}" if instant else ""


def _today(text: str, zone: str) -> str:
    """Today's date at a time of the branch, in ISO format with its offset."""
    try:
        return at_clock(text, zone).isoformat()
    except ValueError:
        raise WrongUse(f"'{text}' is not a time of day.", "Write it as 14:30.") from None
