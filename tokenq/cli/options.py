"""Parameters that several commands share, declared once."""

from typing import Annotated

import typer

from tokenq.contract.words import Priority, RequeuePosition, Role


def _upper(value: str | None) -> str | None:
    return value.strip().upper() if value else value


def _upper_all(values: list[str] | None) -> list[str]:
    return [value.strip().upper() for value in values or []]


def _departments(incomplete: str) -> list[tuple[str, str]]:
    """Department ids for the shell: quickly from the server, or silently none."""
    from tokenq.cli.context import connect
    from tokenq.settings import load

    try:
        client = connect(load(timeout=0.5), attempts=1)
        found = client.departments()
    except Exception:
        return []
    start = incomplete.upper()
    return [(view["departmentId"], view["name"]) for view in found if view["departmentId"].startswith(start)]


Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Department = Annotated[
    str,
    typer.Argument(metavar="DEPT", help="Department id, such as CW.", autocompletion=_departments, callback=_upper),
]
Departments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DEPT]...",
        help="Department ids; all when none is given.",
        autocompletion=_departments,
        callback=_upper_all,
    ),
]
TheirDepartments = Annotated[
    list[str] | None,
    typer.Option(
        "--dept",
        metavar="DEPT",
        help="Only for this department; may be repeated. None given: for all.",
        autocompletion=_departments,
        callback=_upper_all,
    ),
]
Token = Annotated[str, typer.Argument(metavar="TOKEN", help="Token id (101) or today's number (CW-012, cw12).")]
Counter = Annotated[
    str | None,
    typer.Option("--counter", "-c", metavar="C", help="The counter's name; or TOKENQ_COUNTER."),
]
OfPriority = Annotated[Priority | None, typer.Option("--priority", help="The class in line.")]
OfRole = Annotated[Role | None, typer.Option("--role", help="What they may do.")]
Position = Annotated[RequeuePosition, typer.Option("--position", help="Where in line.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
