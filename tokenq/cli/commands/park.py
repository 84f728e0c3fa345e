"""``tokenq park``: set a person aside."""

from datetime import datetime
from typing import Annotated

import typer

from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Json, Reason, Token
from tokenq.cli.tokens import clock, show_token
from tokenq.contract.problems import ProblemCode, refuse


def command(
    token: Token,
    until: Annotated[str | None, typer.Option(metavar="HH:MM", help="Comes back by itself at this time.")] = None,
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
    moment = _today(until) if until else None
    client = connect()
    found = client.find_token(token)
    if found["state"] == "PARKED":
        # The server takes a repeated move for the same one, and keeps the time of the first.
        raise refuse(
            ProblemCode.WRONG_STATE,
            f"{found['displayNumber']} is parked already{_until(found['parkedUntil'])}.",
            f"Let it come back with 'tokenq resume {found['displayNumber']}'.",
        )
    show_token(client.move(found, "park", until=moment, untilMinutes=minutes, reason=reason), as_json=as_json)


def _until(instant: str | None) -> str:
    return f" until {clock(instant)[:5]}" if instant else ""


def _today(text: str) -> str:
    """A time of this machine's clock, today, with its zone."""
    try:
        hour, minute = (int(part) for part in text.split(":"))
        moment = datetime.now().astimezone().replace(hour=hour, minute=minute, second=0, microsecond=0)
    except ValueError:
        raise WrongUse(f"'{text}' is no time of day.", "Write it as 14:30.") from None
    return moment.isoformat()
