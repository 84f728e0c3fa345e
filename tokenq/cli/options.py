"""Parameters that several commands share, declared once."""

import re
from typing import Annotated

import typer

from tokenq.contract.enums import Priority, RequeuePosition, Role
from tokenq.contract.names import DEPARTMENT_ID
from tokenq.contract.numbers import readings, typed_id


def department_id(typed: str) -> str:
    """A department's id as the server writes it, from what a person typed.

    Raises:
        typer.BadParameter: nothing could be called so.
    """
    name = typed.strip().upper()
    if not re.match(DEPARTMENT_ID, name):
        raise typer.BadParameter(f"'{typed}' is no department id, such as CW.")
    return name


def ratio_of(typed: str) -> str:
    """A ratio of priority to normal, such as 2:1. Raises typer.BadParameter."""
    if not re.fullmatch(r"[1-9][0-9]?:[1-9][0-9]?", typed.strip()):
        raise typer.BadParameter(f"'{typed}' is no ratio of priority to normal, such as 2:1.")
    return typed.strip()


def token_name(typed: str) -> str:
    """What a token may be called: a number, or ``id:101``. Raises typer.BadParameter."""
    if typed_id(typed) is None and not readings(typed):
        raise typer.BadParameter(
            f"'{typed}' is not a token number. Type the number on the ticket (CW-012), or an id (id:101)."
        )
    return typed


def department_ids(typed: list[str] | None) -> list[str]:
    """Several of them. Raises typer.BadParameter."""
    return [department_id(one) for one in typed or []]


def _departments(incomplete: str) -> list[tuple[str, str]]:
    """Department ids for the shell: quickly from the server, or silently none."""
    from tokenq.cli.context import connect
    from tokenq.settings import load

    try:
        client = connect(load(timeout=0.5), attempts=1)
        found = client.departments()
    except Exception:
        return []
    # The shell keeps only words that begin as typed, in small letters too.
    names = ((view["departmentId"], view["name"]) for view in found)
    return [
        (incomplete + name[len(incomplete) :], title) for name, title in names if name.startswith(incomplete.upper())
    ]


Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Department = Annotated[
    str,
    typer.Argument(
        metavar="DEPT", help="Department id, such as CW.", autocompletion=_departments, callback=department_id
    ),
]
MaybeDepartment = Annotated[
    str | None,
    typer.Argument(
        metavar="[DEPT]",
        help="Department id, such as CW.",
        autocompletion=_departments,
        callback=lambda typed: department_id(typed) if typed else None,
    ),
]
Departments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DEPT]...",
        help="Department ids; all when none is given.",
        autocompletion=_departments,
        callback=department_ids,
    ),
]
TheirDepartments = Annotated[
    list[str] | None,
    typer.Option(
        "--dept",
        metavar="DEPT",
        help="Only for this department; may be repeated. None given: for all.",
        autocompletion=_departments,
        callback=department_ids,
    ),
]
Token = Annotated[
    str,
    typer.Argument(metavar="TOKEN", help="Number on the paper (CW-012), or --id 101 (id:101).", callback=token_name),
]
Counter = Annotated[
    str | None,
    typer.Option("--counter", "-c", metavar="C", help="The counter's name; or TOKENQ_COUNTER."),
]
AtCounter = Annotated[
    str | None,
    typer.Option("--counter", "-c", metavar="C", help="Only if it is at this counter."),
]
Reason = Annotated[str | None, typer.Option(help="Why, for the log.")]
InBranch = Annotated[str, typer.Option("--branch", metavar="BRANCH", help="The branch it is in.")]
Day = Annotated[str | None, typer.Option("--day", metavar="DAY", help="today, yesterday or a date such as 2026-11-23.")]
File = Annotated[str, typer.Option("--file", "-f", metavar="FILE", help="The file; - reads standard input.")]
Prune = Annotated[bool, typer.Option("--prune", help="Also remove what the file does not name; never users.")]
OfPriority = Annotated[Priority | None, typer.Option("--priority", help="The class in line.")]
OfRole = Annotated[Role | None, typer.Option("--role", help="What they may do.")]
Position = Annotated[RequeuePosition, typer.Option("--position", help="Where in line.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
