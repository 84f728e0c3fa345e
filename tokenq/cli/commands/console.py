"""``tokenq console``: the full-screen staff console."""

import sys
from typing import Annotated

import typer

from tokenq.cli import launch
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Counter, Departments
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
        return int(screen.run(client=client, departments=depts or [], counter=settings.counter, light=light))
