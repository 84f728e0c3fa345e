"""``tokenq transfer``: send customers to another department."""

from typing import Annotated

import typer

from tokenq.cli.options import Json, Reason, Tokens, typed_department
from tokenq.cli.several_tokens import move_each
from tokenq.cli.tokens import moved
from tokenq.contract.enums import RequeuePosition
from tokenq.contract.verbs import Verb


def command(
    tokens: Tokens,
    to: Annotated[str, typer.Option("--to", metavar="DEPT", help="The target department.", callback=typed_department)],
    position: Annotated[
        RequeuePosition | None,
        typer.Option("--position", help="Position there; original: by arrival. Default: last."),
    ] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Send customers to another department of the branch; their numbers stay the same."""
    fields = {"to": to, "position": position, "reason": reason}
    move_each(
        tokens, Verb.TRANSFER, lambda client, token: moved(client, token, Verb.TRANSFER, **fields), as_json=as_json
    )
