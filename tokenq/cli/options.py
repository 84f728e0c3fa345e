"""Parameters shared by several commands."""

import re
from typing import Annotated

import typer

from tokenq.contract.enums import Priority, RequeuePosition, Role
from tokenq.contract.names import DEPARTMENT_ID
from tokenq.contract.numbers import readings, ticket_secret, typed_id


def department_id(typed: str) -> str:
    """Normalise a typed department id.

    Raises:
        typer.BadParameter: it is not a valid id.
    """
    name = typed.strip().upper()
    if not re.match(DEPARTMENT_ID, name):
        raise typer.BadParameter(f"'{typed}' is not a department id, such as CW.")
    return name


def typed_department(typed: str) -> str:
    """Normalise a typed department id; a text of another form may be the name of one.

    Raises:
        typer.BadParameter: it is blank.
    """
    name = typed.strip()
    if not name:
        raise typer.BadParameter("A department's id or name is needed, such as CW.")
    return name.upper() if re.match(DEPARTMENT_ID, name.upper()) else name


def ratio_of(typed: str) -> str:
    """Check a ratio of priority to normal calls, such as 2:1. Raises typer.BadParameter."""
    if not re.fullmatch(r"[1-9][0-9]?:[1-9][0-9]?", typed.strip()):
        raise typer.BadParameter(f"'{typed}' is not a ratio of priority to normal calls, such as 2:1.")
    return typed.strip()


def token_name(typed: str) -> str:
    """Check a token reference: a number, a ticket's link, or ``id:101``. Raises typer.BadParameter."""
    if typed_id(typed) is None and not readings(typed) and not ticket_secret(typed):
        raise typer.BadParameter(
            f"'{typed}' is not a token number. Type the number on the ticket (CW-012), or an id (id:101)."
        )
    return typed


def typed_departments(typed: list[str] | None) -> list[str]:
    """Normalise several departments. Raises typer.BadParameter."""
    return [typed_department(text) for text in typed or []]


Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Department = Annotated[
    str,
    typer.Argument(
        metavar="DEPT",
        help="Department: its id, such as CW, or its name.",
        callback=typed_department,
    ),
]
MaybeDepartment = Annotated[
    str | None,
    typer.Argument(
        metavar="[DEPT]",
        help="Department: its id, such as CW, or its name.",
        callback=lambda typed: typed_department(typed) if typed else None,
    ),
]
Departments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DEPT]...",
        help="Departments, by id or name; default: all.",
        callback=typed_departments,
    ),
]
TheirDepartments = Annotated[
    list[str] | None,
    typer.Option(
        "--dept",
        metavar="DEPT",
        help="Only for this department; repeatable. Default: all.",
        callback=typed_departments,
    ),
]
Token = Annotated[
    str,
    typer.Argument(metavar="TOKEN", help="Number on the ticket (CW-012), or --id 101 (id:101).", callback=token_name),
]
Tokens = Annotated[
    list[str],
    typer.Argument(
        metavar="TOKEN...",
        help="Number on the ticket (CW-012), or --id 101 (id:101); repeatable; each is handled separately.",
        callback=lambda typed: [token_name(text) for text in typed],
    ),
]
Counter = Annotated[
    str | None,
    typer.Option("--counter", "-c", metavar="C", help="Counter name; default: TOKENQ_COUNTER."),
]
NewCounter = Annotated[bool, typer.Option("--new", help="Create the counter if it is not declared.")]
AtCounter = Annotated[
    str | None,
    typer.Option("--counter", "-c", metavar="C", help="Only if the token is at this counter."),
]
Reason = Annotated[str | None, typer.Option(help="Reason; logged.")]
InBranch = Annotated[str, typer.Option("--branch", metavar="BRANCH", help="Its branch.")]
Day = Annotated[
    str | None,
    typer.Option("--day", metavar="DAY", help="today, yesterday (in the branch) or a date such as 2026-11-23."),
]
File = Annotated[str, typer.Option("--file", "-f", metavar="FILE", help="File to read; - for standard input.")]
Prune = Annotated[bool, typer.Option("--prune", help="Also delete what the file does not list, except users.")]
OfPriority = Annotated[Priority | None, typer.Option("--priority", help="Priority class.")]
OfRole = Annotated[Role | None, typer.Option("--role", help="Role of the user.")]
Position = Annotated[RequeuePosition, typer.Option("--position", help="Position in the queue.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")]
