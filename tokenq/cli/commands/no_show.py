"""``tokenq no-show``."""

from typing import Annotated

import typer

from tokenq.cli.options import AtCounter, Json, Token
from tokenq.cli.tokens import move_token


def command(
    token: Token,
    reason: Annotated[str | None, typer.Option(help="More about it, for the log.")] = None,
    at: AtCounter = None,
    as_json: Json = False,
) -> None:
    """Note that the called person did not come."""
    move_token(token, "no-show", as_json=as_json, at=at, reason=reason)
