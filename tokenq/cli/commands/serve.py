"""``tokenq serve``: finish a token, or serve the next one of a department in one step."""

from typing import Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect, counter
from tokenq.cli.options import Counter, Json, department_id
from tokenq.cli.reasons import CommandReason
from tokenq.cli.tokens import check_at, sentence, show_token, tell_new_counter
from tokenq.client import Client
from tokenq.contract.numbers import is_separated, readings, typed_id
from tokenq.contract.problems import ProblemCode, Refused, refuse


def command(
    what: Annotated[str, typer.Argument(metavar="DEPT|TOKEN", help="A department (CW) or a token (CW-012, id:101).")],
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
        found = client.find_token(what)
        check_at(found, at)
        show_token(client.move(found, "serve"), as_json=as_json)


def _is_department(client: Client, what: str) -> bool:
    """``CW`` can only be a department, ``CW-012`` and ``id:101`` only a token; ``A1`` may be either.

    Raises:
        Refused: ``ambiguous``; there is both a department and a token of that name.
    """
    if typed_id(what) is not None or is_separated(what) or what.strip().isdigit():
        return False
    if not readings(what):
        return True
    try:
        name = client.department(what.strip().upper())["departmentId"]
    except Refused as refusal:
        if refusal.problem.code in (ProblemCode.UNKNOWN_DEPARTMENT, ProblemCode.INVALID):
            return False
        raise
    for token in client.tokens(display_number=what.strip().upper())["items"]:
        names = {"typed": what, "department": name, "number": token["displayNumber"], "id": token["tokenId"]}
        raise refuse(CommandReason.TOKEN_OR_DEPARTMENT, **names)
    return True
