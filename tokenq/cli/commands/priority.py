"""``tokenq priority``: change the class of a waiting customer."""

from typing import Annotated

import typer

from tokenq.cli.options import Json, Reason, Token
from tokenq.cli.tokens import move_token
from tokenq.contract.enums import Priority


def command(
    token: Token,
    to: Annotated[Priority, typer.Argument(metavar="CLASS", help="normal, priority or urgent.")],
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Change the class of a waiting customer, who keeps the place by arrival."""
    move_token(token, "priority", as_json=as_json, priority=to, reason=reason)
