"""``tokenq issue``: issue the next number to a customer, or several to a group."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect, typed_key
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Department, Json, OfPriority
from tokenq.cli.ticket import Printer, Printing, printing
from tokenq.cli.tokens import report_same_address, show_token
from tokenq.client import Client
from tokenq.errors import OutputLost

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView


def command(
    dept: Department,
    email: Annotated[str | None, typer.Option(help="Address for e-mails about this token.")] = None,
    user: Annotated[int | None, typer.Option(metavar="ID", help="Id of a registered user.", min=1)] = None,
    name: Annotated[str | None, typer.Option(help="The customer's name; visible to staff only.")] = None,
    priority: OfPriority = None,
    near: Annotated[int | None, typer.Option(metavar="N", help="Notify when N are ahead.", min=0, max=50)] = None,
    language: Annotated[
        str | None, typer.Option(metavar="TAG", help="The customer's language, such as fr; default: the branch's.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Issue N numbers, all or none, as for a family; --json then lists them.", min=1, max=20
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Issue even if closed or full; staff only.")] = False,
    print_: Annotated[
        bool, typer.Option("--print", help="Print a paper ticket, on the printer of the settings or to stdout.")
    ] = False,
    printer: Printer = None,
    as_json: Json = False,
) -> None:
    """Issue the next number of a department to a customer, or with --count several."""
    paper = printing(print_, printer, as_json=as_json)
    if user is not None and count is not None and count > 1:
        raise WrongUse("A registered user can hold only one token per department.", "Leave out --user or --count.")
    client = connect()
    forced = force or None
    if count is None:
        tokens = [
            client.issue(
                dept,
                email=email,
                user_id=user,
                name=name,
                priority=priority,
                near_turn=near,
                language=language,
                force=forced,
                key=typed_key(),
            )
        ]
    else:
        details = {"userId": user, "name": name, "email": email, "priority": priority, "nearTurn": near}
        details |= {"language": language, "force": forced}
        tokens = client.issue_group(dept, count, details, key=typed_key())
    report_same_address(tokens)
    pending, way = list(tokens), paper
    try:
        _print(client, pending, paper)
        if paper is None or paper.printer:
            pending, way = list(tokens), None
            _show(tokens, is_list=count is not None, as_json=as_json)
    except (output.ReaderGone, OutputLost) as error:
        raise _not_shown(pending, error, way) from None


def _print(client: Client, pending: "list[TokenView]", paper: Printing | None) -> None:
    """Print tickets; those that are printed are taken from the list."""
    while paper and pending:
        paper.ticket(client, pending[0])
        del pending[0]


def _show(tokens: "Sequence[TokenView]", *, is_list: bool, as_json: bool) -> None:
    if as_json and is_list:
        output.document({"items": tokens})
        return
    for token in tokens:
        show_token(token, as_json=as_json)


def _not_shown(tokens: "Sequence[TokenView]", error: Exception, paper: Printing | None) -> OutputLost:
    """The numbers exist, but nobody has seen them: name them, and say how to show or print them."""
    numbers = [token["displayNumber"] for token in tokens]
    why = str(error) or "The output was closed."
    option = f" {paper.option}" if paper else ""
    commands = ", ".join(f"'tokenq status {number}{option}'" for number in numbers)
    verb = "is issued and stays" if len(numbers) == 1 else "are issued and stay"
    action = "Print the ticket with" if paper else "Show it with"
    return OutputLost(f"{', '.join(numbers)} {verb} valid. {why}", f"{action} {commands}.")
