"""``tokenq console``: the full-screen staff console."""

import sys
from typing import Annotated

import typer

from tokenq.cli import launch
from tokenq.cli.context import connect
from tokenq.cli.department_names import known_ids
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Counter, Departments
from tokenq.settings import THEMES, load


def command(
    depts: Departments = None,
    at: Counter = None,
    light: Annotated[
        bool | None, typer.Option("--light/--dark", help="Use this theme; default: the one used last.")
    ] = None,
) -> int:
    """Serve customers from a full-screen console; F1 shows its keys."""
    theme = None if light is None else THEMES[light]
    settings = load(counter=at, console_theme=theme)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise WrongUse("The console needs a terminal.", "In scripts, use 'tokenq call', 'serve' and 'queue --json'.")
    client = connect(settings)
    with launch.part("tokenq_tui.console", "tui") as screen:
        departments = known_ids(depts or [])
        return int(screen.run(client=client, departments=departments, settings=settings))
