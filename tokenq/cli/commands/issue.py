"""``tokenq issue``: give the next number to a person."""

from typing import Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Department, Json, OfPriority
from tokenq.cli.tokens import show_token


def command(
    dept: Department,
    email: Annotated[str | None, typer.Option(help="Where letters about this token go.")] = None,
    user: Annotated[int | None, typer.Option(metavar="ID", help="Id of a registered user.", min=1)] = None,
    name: Annotated[str | None, typer.Option(help="The person's name, for staff only.")] = None,
    priority: OfPriority = None,
    near: Annotated[
        int | None, typer.Option(metavar="N", help="Write when this person is N-th in line.", min=0, max=50)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also when closed or full; for staff.")] = False,
    print_: Annotated[bool, typer.Option("--print", help="Print a paper ticket with a QR code to stdout.")] = False,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The same key issues the same token, never a second one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Give the next number of a department to a person."""
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
