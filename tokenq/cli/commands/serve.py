"""``tokenq serve``: mark a token as served, or call and serve a department's next one in one step."""

from typing import Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect, require_counter, typed_key
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Counter, Json, NewCounter, typed_department
from tokenq.cli.reasons import CommandReason
from tokenq.cli.tokens import moved, report_call, sentence, show_token
from tokenq.client import Client
from tokenq.contract.numbers import is_separated, readings, typed_id
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.verbs import Verb


def command(
    target: Annotated[str, typer.Argument(metavar="DEPT|TOKEN", help="A department (CW) or a token (CW-012, id:101).")],
    at: Counter = None,
    new: NewCounter = False,
    as_json: Json = False,
) -> None:
    """Mark a token as served; given a department, serve the token at the counter, or else call and serve the next."""
    client = connect()
    if _is_department(client, target):
        department, counter = typed_department(target), require_counter(at)
        served = client.serve_next(department, counter, may_create=new, key=typed_key())
        report_call(served)
        if served["calledAt"] == served["servedAt"] and not as_json:
            output.line(sentence(served, suffix="; called and served in one step"))
        else:
            show_token(served, as_json=as_json)
    elif new:
        raise WrongUse("--new applies only to a department.", "Leave out --new.")
    else:
        show_token(moved(client, client.find_token(target), Verb.SERVE, at=at), as_json=as_json)


def _is_department(client: Client, typed: str) -> bool:
    """``CW`` can only be a department, ``CW-012`` and ``id:101`` only a token; ``A1`` may be either.

    Raises:
        Refused: ``ambiguous``; both a department and a token match.
    """
    if typed_id(typed) is not None or is_separated(typed) or typed.strip().isdecimal():
        return False
    if not readings(typed):
        return True
    try:
        name = client.department(typed.strip().upper())["departmentId"]
    except Refused as refusal:
        if refusal.problem.code in (ProblemCode.UNKNOWN_DEPARTMENT, ProblemCode.INVALID):
            return False
        raise
    for token in client.tokens(display_number=typed.strip().upper())["items"]:
        names = {"typed": typed, "department": name, "number": token["displayNumber"], "id": token["tokenId"]}
        raise refuse(CommandReason.TOKEN_OR_DEPARTMENT, **names)
    return True
