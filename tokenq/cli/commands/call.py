"""``tokenq call``: call the next person, or a certain one, to a counter."""

from typing import Annotated

import typer

from tokenq.cli.context import connect, counter
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Counter, InBranch, Json, MaybeDepartment
from tokenq.cli.tokens import show_token, tell_new_counter


def command(
    dept: MaybeDepartment = None,
    at: Counter = None,
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Call this one out of order; needs --reason.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why out of order, for the log.")] = None,
    branch: InBranch = "main",
    as_json: Json = False,
) -> None:
    """Call the next person to a counter: of a department, or without one of those that the counter serves.

    A counter that holds somebody is answered with that one.
    """
    if token and not reason:
        raise WrongUse("Calling out of order needs a reason.", "Add --reason 'why'.")
    place = counter(at)
    client = connect()
    if token:
        found = client.find_token(token)
        called = client.call(dept or found["departmentId"], place, token_id=found["tokenId"], reason=reason)
    elif dept:
        called = client.call(dept, place)
    else:
        called = client.call_at_counter(branch, place)
    tell_new_counter(called)
    show_token(called, as_json=as_json)
