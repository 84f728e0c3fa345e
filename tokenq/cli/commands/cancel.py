"""``tokenq cancel``: take a person out of the line."""

from typing import Annotated

import typer

from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import move_token


def command(
    token: Token,
    reason: Annotated[str | None, typer.Option(help="Why, for the log.")] = None,
    as_json: Json = False,
) -> None:
    """Take a person out of the line."""
    move_token(token, "cancel", as_json=as_json, reason=reason)
