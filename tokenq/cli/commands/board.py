"""``tokenq board``: the lobby board; needs only Kafka."""

import sys
from typing import Annotated

import typer

from tokenq.cli import launch
from tokenq.cli.broker import DEFAULT_BOOTSTRAP, configured_bootstrap, why_unreachable
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Departments
from tokenq.errors import Unreachable
from tokenq.settings import load


def command(
    depts: Departments = None,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka broker; default: TOKENQ_KAFKA_BOOTSTRAP.")
    ] = None,
    calls: Annotated[int, typer.Option(min=1, max=50, help="How many recent calls to list.")] = 8,
    quiet: Annotated[bool, typer.Option("--quiet", help="No bell on new calls.")] = False,
    light: Annotated[bool, typer.Option("--light", help="Use the light theme.")] = False,
) -> int:
    """Show the public board: which number goes to which counter. Reads Kafka; needs no server and no login."""
    settings = load(kafka_bootstrap=bootstrap)
    if not sys.stdout.isatty():
        raise WrongUse("The board needs a terminal.", "In scripts, use 'tokenq watch --json'.")
    bootstrap = configured_bootstrap(settings) or _default_broker()
    with launch.part("tokenq_tui.board", "tui") as screen:
        return int(screen.run(bootstrap=bootstrap, departments=depts or [], calls=calls, quiet=quiet, light=light))


def _default_broker() -> str:
    """Return the default address if a broker answers there; unlike a configured one, it is not waited for.

    Raises:
        Unreachable: no broker answers.
    """
    if reason := why_unreachable(DEFAULT_BOOTSTRAP):
        raise Unreachable(
            f"No broker is configured, and none answers at {DEFAULT_BOOTSTRAP}: {reason}.",
            "Set TOKENQ_KAFKA_BOOTSTRAP=HOST:PORT or --bootstrap, or run 'tokenq up', which includes a broker.",
        )
    return DEFAULT_BOOTSTRAP
