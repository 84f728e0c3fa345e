"""``tokenq park``: set a person aside."""

from typing import Annotated

import typer

from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Json, Reason, Token
from tokenq.cli.tokens import move_found
from tokenq.zones import at_clock


def command(
    token: Token,
    until: Annotated[
        str | None, typer.Option(metavar="HH:MM", help="Comes back by itself at this time of the branch.")
    ] = None,
    minutes: Annotated[
        int | None,
        typer.Option("--for", metavar="MINUTES", help="Comes back by itself then.", min=1, max=1440),
    ] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Set a called person aside, to come back later; the counter is free again."""
    if until and minutes:
        raise WrongUse("--until and --for say two times.", "Give one of them.")
    if until:
        _today(until, "")  # a mistake is told before anybody is asked
    client = connect()
    found = client.find_token(token)
    moment = _today(until, client.branch(found["branchId"])["timezone"]) if until else None
    move_found(client, found, "park", as_json=as_json, until=moment, untilMinutes=minutes, reason=reason)


def _today(text: str, zone: str) -> str:
    """A time of the branch's clock, today, with its offset."""
    try:
        return at_clock(text, zone).isoformat()
    except ValueError:
        raise WrongUse(f"'{text}' is no time of day.", "Write it as 14:30.") from None
