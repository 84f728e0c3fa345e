"""``tokenq notify``: letters, and those that could not be sent."""

from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.asking import confirm
from tokenq.cli.exits import WrongUse, talk
from tokenq.cli.options import Json, Yes
from tokenq.cli.tokens import clock
from tokenq.cli.tree import plain_app

app = plain_app(invoke_without_command=True)
dlq = plain_app(help="Look after letters that could not be sent.")
app.add_typer(dlq, name="dlq")

_PROGRAMS = "tokenq_server.programs"
Id = Annotated[int, typer.Argument(metavar="ID", help="Its number, as 'tokenq notify dlq list' shows it.")]
Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Their numbers.")]
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
    with launch.server(_PROGRAMS) as programs:
        count = int(programs.dlq_retry(chosen))
    if as_json:
        output.document({"retried": count})
    else:
        output.line(f"{count} put back in the queue.")
    if count:
        talk("A running 'tokenq notify' sends them.")


@dlq.command()
def drop(numbers: Ids = None, everything: All = False, yes: Yes = False, as_json: Json = False) -> None:
    """Throw them away."""
    chosen = _chosen(numbers, everything=everything)
    confirm(f"Throw away {len(chosen)} for good?", yes=yes)
    with launch.server(_PROGRAMS) as programs:
        count = int(programs.dlq_drop(chosen))
    if as_json:
        output.document({"dropped": count})
    else:
        output.line(f"{count} thrown away.")


def _dead_letters() -> list[dict[str, Any]]:
    with launch.server(_PROGRAMS) as programs:
        return list(programs.dlq_list())


def _chosen(numbers: list[int] | None, *, everything: bool) -> list[int]:
    if bool(numbers) == everything:
        raise WrongUse("Which ones?", "Give their numbers, or --all.")
    return numbers or [int(item["dlqId"]) for item in _dead_letters()]
