"""``tokenq call``: call the next customer, or a specific token, to a counter."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli.context import connect, require_counter, typed_key
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Counter, Json, MaybeDepartment, NewCounter
from tokenq.cli.reasons import CommandReason
from tokenq.cli.tokens import report_call, show_token
from tokenq.client import Client
from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.numbers import readings
from tokenq.contract.problems import ProblemCode, Refused, refuse

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView


def command(
    dept: MaybeDepartment = None,
    at: Counter = None,
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Call this token out of order; needs --reason.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Reason for calling out of order; logged.")] = None,
    new: NewCounter = False,
    branch: Annotated[
        str | None,
        typer.Option("--branch", metavar="BRANCH", help="The counter's branch, without DEPT; default: main."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Call the next customer to a counter: of a department or, without DEPT, of all that the counter serves.

    If the counter already holds a token, show that token.
    """
    if token and not reason:
        raise WrongUse("Calling out of order needs a reason.", "Add --reason TEXT.")
    if reason and not token:
        raise WrongUse("--reason is for calling a specific token.", "Add --token TOKEN, or leave out --reason.")
    if branch and (dept or token):
        raise WrongUse("A department or a token is in its own branch.", "Leave out --branch.")
    counter_id, key = require_counter(at), typed_key()
    client = connect()
    if token:
        chosen = client.find_token(token)
        department, token_id = dept or chosen["departmentId"], chosen["tokenId"]
        called = client.call(department, counter_id, token_id=token_id, reason=reason, may_create=new, key=key)
    elif dept:
        called = _call_next(client, dept, counter_id, may_create=new)
    else:
        called = client.call_at_counter(branch or MAIN_BRANCH, counter_id, may_create=new, key=key)
    report_call(called)
    show_token(called, as_json=as_json)


def _call_next(client: Client, dept: str, counter_id: str, *, may_create: bool) -> "TokenView":
    """Call the next customer; if ``dept`` looks like a token number, the refusal explains --token."""
    try:
        return client.call(dept, counter_id, may_create=may_create, key=typed_key())
    except Refused as refusal:
        problem = refusal.problem
        if problem.code is not ProblemCode.UNKNOWN_DEPARTMENT or not readings(dept):
            raise
        raise refuse(CommandReason.TOKEN_FOR_DEPARTMENT, name=dept.upper(), number=dept, counter=counter_id) from None
