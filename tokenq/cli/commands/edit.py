"""``tokenq edit``: correct a customer's name or e-mail address."""

from typing import Annotated

import typer

from tokenq.cli.context import connect, typed_key
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Json, Token
from tokenq.cli.tokens import show_after


def command(
    token: Token,
    name: Annotated[str | None, typer.Option(help='The right name; "" removes it.')] = None,
    email: Annotated[str | None, typer.Option(help='The right e-mail address; "" removes it.')] = None,
    as_json: Json = False,
) -> None:
    """Correct a customer's name or e-mail address; the place in the queue stays.

    Later e-mails go to the new address. The log records which field changed, not its values. To reverse a correction,
    edit again; 'undo' does not affect it.
    """
    if name is None and email is None:
        raise WrongUse("Nothing to correct.", "Add --name TEXT or --email ADDRESS.")
    client = connect()
    view = client.find_token(token)
    after = client.edit_token(view["tokenId"], name=name, email=email, key=typed_key())
    show_after(client, view, after, as_json=as_json)
