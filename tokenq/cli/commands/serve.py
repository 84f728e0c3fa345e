"""``tokenq serve``: finish a token, or serve the next one of a department in one step."""

from typing import Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect, counter
from tokenq.cli.options import Counter, Json, department_id
from tokenq.cli.tokens import sentence, show_token, tell_new_counter
from tokenq.client import Client
from tokenq.contract.names import token_reference
from tokenq.contract.problems import ProblemCode, Refused


def command(
    what: Annotated[str, typer.Argument(metavar="DEPT|TOKEN", help="A department (CW) or a token (101, CW-012).")],
    at: Counter = None,
    as_json: Json = False,
) -> None:
    """Finish a token (SERVED); or, given a department, serve whom the counter holds, else the next one."""
    client = connect()
    if _is_department(client, what):
        served = client.serve_next(department_id(what), counter(at))
        tell_new_counter(served)
        if served["calledAt"] == served["servedAt"] and not as_json:
            output.line(sentence(served, more="; called and served in one step"))
        else:
            show_token(served, as_json=as_json)
    else:
        show_token(client.move(client.find_token(what), "serve"), as_json=as_json)


def _is_department(client: Client, what: str) -> bool:
    """``CW`` can only be a department and ``CW-012`` only a token; ``A1`` is a department if there is one."""
    if token_reference(what) is None:
        return True
    if "-" in what or what.strip().isdigit():
        return False
    try:
        client.department(what.strip().upper())
    except Refused as refusal:
        if refusal.problem.code in (ProblemCode.UNKNOWN_DEPARTMENT, ProblemCode.INVALID):
            return False
        raise
    return True
