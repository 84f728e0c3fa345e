"""``tokenq board``: the lobby's screen; needs Kafka and nothing else."""

import sys
from typing import Annotated

import typer

from tokenq.cli import launch
from tokenq.cli.context import identify
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Departments
from tokenq.errors import BadSettings
from tokenq.settings import Settings, load

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"


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
    bootstrap = _bootstrap(settings)
    with launch.part("tokenq_tui.board", "tui") as screen:
        return int(screen.run(bootstrap=bootstrap, departments=depts or [], calls=calls, quiet=quiet, light=light))


def _bootstrap(settings: Settings) -> str:
    """The setting, else what ``up`` left with the login, else the usual port of this machine."""
    if settings.kafka_bootstrap:
        return settings.kafka_bootstrap
    try:
        stored = identify(settings).stored
    except BadSettings:
        stored = None  # the board needs no login; an unsafe credentials file is no reason to go dark
    return (stored.kafka if stored else None) or DEFAULT_BOOTSTRAP
