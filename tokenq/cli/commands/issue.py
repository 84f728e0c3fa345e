"""``tokenq issue``: issue the next number to a customer."""

from typing import Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Department, Json, OfPriority
from tokenq.cli.tokens import show_token


def command(
    dept: Department,
    email: Annotated[str | None, typer.Option(help="Address for e-mails about this token.")] = None,
    user: Annotated[int | None, typer.Option(metavar="ID", help="Id of a registered user.", min=1)] = None,
    name: Annotated[str | None, typer.Option(help="The customer's name; visible to staff only.")] = None,
    priority: OfPriority = None,
    near: Annotated[int | None, typer.Option(metavar="N", help="Notify when N are ahead.", min=0, max=50)] = None,
    force: Annotated[bool, typer.Option("--force", help="Issue even if closed or full; staff only.")] = False,
    print_: Annotated[bool, typer.Option("--print", help="Print a paper ticket with a QR code to stdout.")] = False,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="A retry with the same key returns the same token.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Issue the next number of a department to a customer."""
    if print_ and as_json:
        raise WrongUse("A ticket and JSON cannot both go to stdout.", "Leave out --print or --json.")
    client = connect()
    token = client.issue(
        dept,
        email=email,
        user_id=user,
        name=name,
        priority=priority,
        near_turn=near,
        force=force or None,
        key=idempotency_key,
    )
    if not print_:
        show_token(token, as_json=as_json)
        return
    from tokenq.cli.ticket import draw

    output.raw(draw(client, token))
