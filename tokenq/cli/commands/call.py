"""``tokenq call``: call the next person, or a certain one, to a counter."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli.context import connect, counter
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Counter, InBranch, Json, MaybeDepartment
from tokenq.cli.reasons import CommandReason
from tokenq.cli.tokens import show_token, tell_new_counter
from tokenq.client import Client
from tokenq.contract.numbers import readings
from tokenq.contract.problems import ProblemCode, Refused, refuse

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView


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
        called = _next(client, dept, place)
    else:
        called = client.call_at_counter(branch, place)
    tell_new_counter(called)
    show_token(called, as_json=as_json)


def _next(client: Client, dept: str, place: str) -> "TokenView":
    """Call the next one; who names a token instead of a department is told how that is done."""
    try:
        return client.call(dept, place)
    except Refused as refusal:
        problem = refusal.problem
        if problem.code is not ProblemCode.UNKNOWN_DEPARTMENT or not readings(dept):
            raise
        raise refuse(CommandReason.TOKEN_FOR_DEPARTMENT, name=dept.upper(), number=dept, counter=place) from None
