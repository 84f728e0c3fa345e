"""``tokenq board``: the lobby board; needs only Kafka, or only a server."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokenq.cli import launch
from tokenq.cli.board_options import hearing, known_languages
from tokenq.cli.broker import DEFAULT_BOOTSTRAP, configured_broker, why_unreachable
from tokenq.cli.context import connect, identify
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Departments
from tokenq.client import Client
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.problems import Refused
from tokenq.errors import BadSettings, Unreachable
from tokenq.settings import Settings, load

if TYPE_CHECKING:
    from tokenq.contract.board_views import BoardView


def command(
    depts: Departments = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--server", metavar="[URL]", help="Read a tokenq server, with TOKENQ_TOKEN or the stored login, not Kafka."
        ),
    ] = None,
    branch: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="The branch to show, with a server; default: main.")
    ] = None,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka broker; default: TOKENQ_KAFKA_BOOTSTRAP.")
    ] = None,
    calls: Annotated[int, typer.Option(min=1, max=50, help="How many recent calls to list.")] = 8,
    languages: Annotated[
        list[str] | None,
        typer.Option(
            "--language", metavar="TAG", help="Language of the board, such as de; repeatable; default: the branch's."
        ),
    ] = None,
    on_call: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND", help="Run COMMAND for each call and language; its last argument is the sentence to say."
        ),
    ] = None,
    chime: Annotated[Path | None, typer.Option(metavar="FILE", help="Sound file to play before each call.")] = None,
    player: Annotated[str, typer.Option(metavar="COMMAND", help="Command that plays the sound file.")] = "aplay -q",
    quiet_hours: Annotated[
        str | None, typer.Option(metavar="HH:MM-HH:MM", help="No sound at these times (branch time).")
    ] = None,
    reshape: Annotated[
        bool,
        typer.Option("--reshape", help="Reorder right-to-left texts, for terminals that do not (extra 'rtl')."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No bell on new calls.")] = False,
    light: Annotated[bool, typer.Option("--light", help="Use the light theme.")] = False,
) -> int:
    """Show the public board: which number goes to which counter.

    It reads Kafka if a broker is set (--bootstrap, TOKENQ_KAFKA_BOOTSTRAP) or 'tokenq up' runs on this machine, and
    needs no login then. Otherwise, or with --server, it reads the server you are signed in to, or URL; a key with the
    role 'board' is enough.

    COMMAND runs without a shell and with TOKENQ_NUMBER, TOKENQ_COUNTER, TOKENQ_LANGUAGE and TOKENQ_DEPARTMENT.
    """
    if server is not None and bootstrap is not None:
        raise WrongUse("--server and --bootstrap cannot be combined.", "The board reads a server or Kafka, not both.")
    if server and "://" not in server:
        raise WrongUse(f"'{server}' is not the address of a server.", "It looks like https://queue.example.org.")
    heard = hearing(on_call, chime, player, quiet_hours)
    shown = {"languages": known_languages(languages or []), "reshape": _reshaper() if reshape else str}
    settings = load(url=server or None, kafka_bootstrap=bootstrap)
    if not sys.stdout.isatty():
        raise WrongUse("The board needs a terminal.", "In scripts, use 'tokenq watch --json'.")
    broker = None if server is not None else _broker(settings)
    if broker is not None and branch is not None:
        raise WrongUse("--branch needs --server: Kafka has all branches.", "Add --server, or name departments.")
    with launch.part("tokenq_tui.board", "tui") as screen:
        if broker is not None:
            source = screen.of_topic(broker)
        else:
            branch = branch or MAIN_BRANCH
            client = connect(settings)
            state = _state(client, branch)
            depts = _ids(depts or [], state)
            source = screen.of_server(client, branch, depts, state)
        look = {"calls": calls, "quiet": quiet, "light": light, **shown}
        return int(screen.run(source, departments=depts or [], **look, **heard))


def _reshaper() -> Callable[[str], str]:
    """Return what brings right-to-left texts into the order in which they are drawn. Raises Missing."""
    with launch.part("tokenq_tui.reshape", "rtl") as module:
        reshape: Callable[[str], str] = module.reshape
        return reshape


def _broker(settings: Settings) -> KafkaAccess | None:
    """Return the broker to read, or ``None`` where a server is to be read: no broker is set, but a login is.

    Raises:
        Unreachable: neither is set, and no broker answers at the default address.
        Refused: the settings of the broker contradict each other.
    """
    broker = configured_broker(settings)
    if broker is None and not _has_login(settings):
        broker = _default_broker(settings)
    return broker


def _has_login(settings: Settings) -> bool:
    try:
        return identify(settings).token is not None
    except BadSettings:
        return False  # an unsafe file of credentials


def _default_broker(settings: Settings) -> KafkaAccess:
    """Return the broker at the default address if one answers there; unlike a configured one, it is not waited for.

    Raises:
        Unreachable: no broker answers.
        Refused: the settings of the broker contradict each other.
    """
    if reason := why_unreachable(DEFAULT_BOOTSTRAP):
        raise Unreachable(
            f"No broker and no login are configured, and no broker answers at {DEFAULT_BOOTSTRAP}: {reason}.",
            "Set TOKENQ_KAFKA_BOOTSTRAP=HOST:PORT or --bootstrap, use --server URL with TOKENQ_TOKEN, "
            "or run 'tokenq up', which includes a broker.",
        )
    return KafkaAccess.of(DEFAULT_BOOTSTRAP, vars(settings))


def _state(client: Client, branch: str) -> "BoardView | None":
    """Return the public state of a branch; ``None`` if the server does not answer now, for it is waited for.

    Raises:
        Refused: the server refuses the key or does not know the branch.
    """
    try:
        with client.clone(attempts=1) as asking:
            return asking.board(branch)
    except Unreachable:
        return None
    except Refused as refusal:
        if refusal.problem.code.status < 500 and refusal.problem.code.status != 429:
            raise
        return None


def _ids(typed: Sequence[str], state: "BoardView | None") -> list[str]:
    """Return the ids of departments of the branch; as typed while they are unknown. Raises Refused."""
    from tokenq.cli.department_names import id_of

    if state is None:
        return list(typed)
    departments: Any = state["departments"]
    return [id_of(name, departments) for name in typed]
