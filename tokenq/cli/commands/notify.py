"""``tokenq notify``: letters, and those that could not be sent."""

from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.options import Json, Yes
from tokenq.cli.prompts import confirm
from tokenq.cli.tokens import clock
from tokenq.cli.tree import plain_app

app = plain_app(invoke_without_command=True)
dlq = plain_app(help="Look after letters that could not be sent.")
app.add_typer(dlq, name="dlq")

_DIGITS = 19
"""A number of so many digits is beyond what the database counts to."""
_PROGRAMS = "tokenq_server.programs"
_NONE = "There are no dead letters."


def _number(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) < _DIGITS):
        raise typer.BadParameter(f"'{typed}' is no number of a dead letter, such as 5.")
    return int(typed)


Id = Annotated[int, typer.Argument(metavar="ID", parser=_number, help="Its number, as 'notify dlq list' shows it.")]
Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", parser=_number, help="Their numbers.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.callback()
def run(context: typer.Context) -> int | None:
    """Send the letters until told to stop. Any number of these may run."""
    if context.invoked_subcommand is None:
        return launch.program("notify")
    return None


@dlq.command("list")
def list_(as_json: Json = False) -> None:
    """List the letters and records that were given up."""
    items = _dead_letters()
    if as_json:
        output.document({"items": items})
        return
    if not items:
        output.line(_NONE)
        return
    output.table(
        ("Id", "When", "Token", "Why"),
        (
            (item["dlqId"], clock(item.get("createdAt"), with_day=True), item.get("tokenId"), item.get("reason"))
            for item in items
        ),
    )


@dlq.command()
def show(number: Id, as_json: Json = False) -> None:
    """Show one of them whole."""
    with launch.server(_PROGRAMS) as programs:
        item: dict[str, Any] = programs.dlq_show(number)
    if as_json:
        output.document(item)
    else:
        output.fields(item.items())


@dlq.command()
def retry(numbers: Ids = None, everything: All = False, as_json: Json = False) -> None:
    """Try them once more."""
    chosen = _chosen(numbers, everything=everything)
    if not chosen and not as_json:
        output.line(_NONE)
        return
    with launch.server(_PROGRAMS) as programs:
        count = int(programs.dlq_retry(chosen))
    if as_json:
        output.document({"retried": count})
    else:
        output.line(f"{count} put back in the queue.")
    if count:
        echo("A running 'tokenq notify' sends them.")
    _tell_left(len(set(chosen)) - count, "dealt with already, or still not readable")


@dlq.command()
def drop(numbers: Ids = None, everything: All = False, yes: Yes = False, as_json: Json = False) -> None:
    """Throw them away."""
    chosen = _chosen(numbers, everything=everything)
    if not chosen and not as_json:
        output.line(_NONE)
        return
    if chosen:
        confirm(f"Throw away {len(chosen)} for good?", yes=yes, needs_yes=False)
    with launch.server(_PROGRAMS) as programs:
        count = int(programs.dlq_drop(chosen))
    if as_json:
        output.document({"dropped": count})
    else:
        output.line(f"{count} thrown away.")
    _tell_left(len(set(chosen)) - count, "dealt with already")


def _tell_left(number: int, why: str) -> None:
    if number > 0:
        echo(f"{number} left as {'it is' if number == 1 else 'they are'}: {why}.")


def _dead_letters() -> list[dict[str, Any]]:
    with launch.server(_PROGRAMS) as programs:
        return list(programs.dlq_list())


def _chosen(numbers: list[int] | None, *, everything: bool) -> list[int]:
    if bool(numbers) == everything:
        raise WrongUse("Which ones?", "Give their numbers, or --all.")
    return numbers or [int(item["dlqId"]) for item in _dead_letters()]
