"""``tokenq priority``: change the class of a waiting customer."""

from typing import Annotated

import typer

from tokenq.cli.context import connect
from tokenq.cli.options import Json, Reason, Token
from tokenq.cli.tokens import moved, show_after
from tokenq.contract.enums import Priority
from tokenq.contract.verbs import Verb


def command(
    token: Token,
    to: Annotated[Priority, typer.Argument(metavar="CLASS", help="normal, priority or urgent.")],
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Change the class of a waiting customer, who keeps the place by arrival."""
    client = connect()
    view = client.find_token(token)
    after = moved(client, view, Verb.PRIORITY, priority=to, reason=reason)
    show_after(client, view, after, as_json=as_json)
