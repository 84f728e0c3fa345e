"""``tokenq desk``: the front desk's screen, also as a kiosk."""

import os
import sys
from typing import Annotated

import typer

from tokenq.cli import launch
from tokenq.cli.context import connect
from tokenq.cli.department_names import known_ids
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Departments
from tokenq.cli.ticket import Printer, printing
from tokenq.paper.layout import Design


def command(
    depts: Departments = None,
    printer: Printer = None,
    self_service: Annotated[
        bool, typer.Option("--self-service", help="A kiosk: customers take their numbers themselves.")
    ] = False,
    exit_pin: Annotated[
        str | None,
        typer.Option(
            "--exit-pin",
            metavar="CODE",
            help="The code that leaves a kiosk, after Ctrl-Q; other users can see it here, not in TOKENQ_EXIT_PIN.",
        ),
    ] = None,
    light: Annotated[bool, typer.Option("--light", help="Use the light theme.")] = False,
) -> int:
    """Issue numbers at one key, and print their tickets; for keyboard, touch and barcode scanner.

    Without a printer (--printer, or the setting) the number is shown very large.
    """
    if exit_pin is not None and not self_service:
        raise WrongUse("--exit-pin is for a kiosk.", "Add --self-service, or leave it out.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise WrongUse("The desk needs a terminal.", "In scripts, use 'tokenq issue --json'.")
    paper = printing(True, printer, as_json=False)
    client = connect()
    with launch.part("tokenq_tui.desk", "tui") as screen:
        return int(
            screen.run(
                client=client,
                departments=known_ids(depts or []),
                printer=paper.printer if paper else None,
                design=Design.of(paper.settings) if paper else None,
                self_service=self_service,
                exit_pin=exit_pin or os.environ.get("TOKENQ_EXIT_PIN", ""),
                light=light,
            )
        )
