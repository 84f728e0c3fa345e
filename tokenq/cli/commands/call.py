"""``tokenq call``: call the next person, or a certain one, to a counter."""

from typing import Annotated

import typer

from tokenq.cli.context import connect, counter
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Counter, Department, Json
from tokenq.cli.tokens import show_token


def command(
    dept: Department,
    at: Counter = None,
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Call this one out of order; needs --reason.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why out of order, for the log.")] = None,
    as_json: Json = False,
) -> None:
    """Call the next person to a counter. A counter that holds somebody is answered with that one."""
    if token and not reason:
        raise WrongUse("Calling out of order needs a reason.", "Add --reason 'why'.")
    place = counter(at)
    client = connect()
    token_id = client.find_token(token)["tokenId"] if token else None
    show_token(client.call(dept, place, token_id=token_id, reason=reason), as_json=as_json)
