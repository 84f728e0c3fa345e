"""``tokenq console``: the full-screen staff console."""

import sys
from typing import Annotated

import typer

from tokenq.cli import launch
from tokenq.cli.context import connect
from tokenq.cli.department_names import ids_of
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Counter, Departments
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import TokenqError
from tokenq.settings import load


def command(
    depts: Departments = None,
    at: Counter = None,
    light: Annotated[bool, typer.Option("--light", help="Use the light theme.")] = False,
) -> int:
    """Serve customers from a full-screen console; F1 shows its keys."""
    settings = load(counter=at)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise WrongUse("The console needs a terminal.", "In scripts, use 'tokenq call', 'serve' and 'queue --json'.")
    client = connect(settings)
    with launch.part("tokenq_tui.console", "tui") as screen:
        departments = _known(depts or [])
        return int(screen.run(client=client, departments=departments, counter=settings.counter, light=light))


def _known(departments: list[str]) -> list[str]:
    """Return the departments' ids; as typed if the server cannot be asked now, since the console waits for it.

    Raises:
        Refused: one of them is unknown or could mean two.
    """
    if not departments:
        return []
    try:
        return list(ids_of({"depts": departments}, attempts=1)["depts"])
    except Refused as refusal:
        if refusal.problem.code in (ProblemCode.UNKNOWN_DEPARTMENT, ProblemCode.AMBIGUOUS):
            raise
    except TokenqError:
        pass
    return departments
