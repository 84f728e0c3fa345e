"""``tokenq transfer``: send a customer to another department."""

from typing import Annotated

import typer

from tokenq.cli.options import Json, Reason, Token, department_id
from tokenq.cli.tokens import move_token


def command(
    token: Token,
    to: Annotated[str, typer.Option("--to", metavar="DEPT", help="The target department.", callback=department_id)],
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Send a customer to another department of the branch; the number stays the same."""
    move_token(token, "transfer", as_json=as_json, to=to, reason=reason)
