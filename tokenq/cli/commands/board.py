"""``tokenq board``: the lobby's screen; needs Kafka and nothing else."""

import sys
from typing import Annotated

import typer

from tokenq.cli import launch
from tokenq.cli.broker import DEFAULT_BOOTSTRAP, known_bootstrap, why_unreachable
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Departments
from tokenq.errors import Unreachable
from tokenq.settings import load


def command(
    depts: Departments = None,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka; or TOKENQ_KAFKA_BOOTSTRAP.")
    ] = None,
    calls: Annotated[int, typer.Option(min=1, max=50, help="How many of the last calls to list.")] = 8,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not ring on a call.")] = False,
    light: Annotated[bool, typer.Option("--light", help="Dark letters on a light ground.")] = False,
) -> int:
    """Show the public screen: who goes where. Reads Kafka; needs no server and no login."""
    settings = load(kafka_bootstrap=bootstrap)
    if not sys.stdout.isatty():
        raise WrongUse("The board needs a terminal.", "In scripts use 'tokenq watch --json'.")
    bootstrap = known_bootstrap(settings) or _usual_port()
    with launch.part("tokenq_tui.board", "tui") as screen:
        return int(screen.run(bootstrap=bootstrap, departments=depts or [], calls=calls, quiet=quiet, light=light))


def _usual_port() -> str:
    """A guess is only good while somebody answers there; a known broker is waited for.

    Raises:
        Unreachable: nobody does.
    """
    if reason := why_unreachable(DEFAULT_BOOTSTRAP):
        raise Unreachable(
            f"No broker is known, and none answers at {DEFAULT_BOOTSTRAP}: {reason}.",
            "Set TOKENQ_KAFKA_BOOTSTRAP=HOST:PORT, or --bootstrap; 'tokenq up' brings one.",
        )
    return DEFAULT_BOOTSTRAP
