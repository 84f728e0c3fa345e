"""``tokenq park``: set customers aside."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli.branch_time import zone_of
from tokenq.cli.context import is_repeated
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import AtCounter, Json, Reason, Tokens
from tokenq.cli.reasons import CommandReason
from tokenq.cli.several_tokens import move_each
from tokenq.cli.tokens import check_counter, clock, moved
from tokenq.client import Client
from tokenq.contract.problems import refuse
from tokenq.contract.verbs import Verb
from tokenq.zones import at_clock

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView


def command(
    tokens: Tokens,
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
    """Set called customers aside until later; this frees their counters."""
    if until and minutes:
        raise WrongUse("--until and --for exclude each other.", "Give one of them.")
    if until:
        _today(until, "")  # report a typing mistake before the first request

    def park(client: Client, token: "TokenView") -> "TokenView":
        check_counter(token, at)
        zone = zone_of(client, token["branchId"])
        if token["state"] == "PARKED" and not is_repeated():
            # The server treats a repeated move as the same one and keeps the time of the first.
            until_when = _until(token["parkedUntil"], zone)
            raise refuse(CommandReason.PARKED_ALREADY, number=token["displayNumber"], until=until_when)
        moment = _today(until, zone) if until else None
        return moved(client, token, Verb.PARK, until=moment, untilMinutes=minutes, reason=reason)

    move_each(tokens, Verb.PARK, park, as_json=as_json)


def _until(instant: str | None, zone: str) -> str:
    return f" until {clock(instant, zone)[:5]}" if instant else ""


def _today(text: str, zone: str) -> str:
    """Today's date at a time of the branch, in ISO format with its offset."""
    try:
        return at_clock(text, zone).isoformat()
    except ValueError:
        raise WrongUse(f"'{text}' is not a time of day.", "Write it as 14:30.") from None
