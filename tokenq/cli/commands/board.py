"""``tokenq board``: the lobby board; needs only Kafka."""

import sys
from typing import Annotated

import typer

from tokenq.cli import launch
from tokenq.cli.broker import DEFAULT_BOOTSTRAP, configured_broker, why_unreachable
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Departments
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.errors import Unreachable
from tokenq.settings import Settings, load


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
    broker = configured_broker(settings) or _default_broker(settings)
    with launch.part("tokenq_tui.board", "tui") as screen:
        return int(screen.run(broker, departments=depts or [], calls=calls, quiet=quiet, light=light))


def _default_broker(settings: Settings) -> KafkaAccess:
    """Return the broker at the default address if one answers there; unlike a configured one, it is not waited for.

    Raises:
        Unreachable: no broker answers.
        Refused: the settings of the broker contradict each other.
    """
    if reason := why_unreachable(DEFAULT_BOOTSTRAP):
        raise Unreachable(
            f"No broker is configured, and none answers at {DEFAULT_BOOTSTRAP}: {reason}.",
            "Set TOKENQ_KAFKA_BOOTSTRAP=HOST:PORT or --bootstrap, or run 'tokenq up', which includes a broker.",
        )
    return KafkaAccess.of(DEFAULT_BOOTSTRAP, vars(settings))
