"""``tokenq notify``: e-mails and other notifications, and those that could not be sent."""

from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.options import Json, Yes
from tokenq.cli.prompts import confirm
from tokenq.cli.tokens import clock
from tokenq.cli.tree import plain_app

app = plain_app(invoke_without_command=True)
dlq = plain_app(help="Manage the dead letters: notifications that could not be sent.")
app.add_typer(dlq, name="dlq")

_DIGITS = 19
"""Numbers with this many digits exceed the database's range."""
_PROGRAMS = "tokenq_server.programs"
_NONE = "There are no dead letters."
_COLUMNS: output.Columns = {
    "Id": lambda item: item["dlqId"],
    "Time": lambda item: clock(item.get("createdAt"), with_day=True),
    "Token": lambda item: item.get("tokenId"),
    "Reason": lambda item: item.get("reason"),
}


def _number(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) < _DIGITS):
        raise typer.BadParameter(f"'{typed}' is not the number of a dead letter, such as 5.")
    return int(typed)


Id = Annotated[int, typer.Argument(metavar="ID", parser=_number, help="Its number, as shown by 'notify dlq list'.")]
Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", parser=_number, help="Their numbers.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.callback()
def run(context: typer.Context) -> int | None:
    """Send e-mails and other notifications until stopped. Any number of instances may run."""
    if context.invoked_subcommand is None:
        return launch.program("notify")
    return None


@dlq.command("list")
def list_(as_json: Json = False) -> None:
    """List the dead letters: notifications and records that could not be processed."""
    items = _dead_letters()
    if not items and not as_json:
        output.line(_NONE)
        return
    output.listing(items, _COLUMNS, as_json=as_json)


@dlq.command()
def show(number: Id, as_json: Json = False) -> None:
    """Show one dead letter in full."""
    with launch.server(_PROGRAMS) as programs:
        item: dict[str, Any] = programs.dlq_show(number)
    if as_json:
        output.document(item)
    else:
        output.fields(item.items())


@dlq.command()
def retry(numbers: Ids = None, everything: All = False, as_json: Json = False) -> None:
    """Put dead letters back in the queue."""
    chosen = _chosen_letters(numbers, everything=everything)
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
        echo("A running 'tokenq notify' sends those that still apply.")
    _report_unchanged(len(set(chosen)) - count, "already handled, or still unreadable")


@dlq.command()
def drop(numbers: Ids = None, everything: All = False, yes: Yes = False, as_json: Json = False) -> None:
    """Delete dead letters."""
    chosen = _chosen_letters(numbers, everything=everything)
    if not chosen and not as_json:
        output.line(_NONE)
        return
    if chosen:
        confirm(f"Delete {len(chosen)} permanently?", yes=yes, needs_yes=False)
    with launch.server(_PROGRAMS) as programs:
        count = int(programs.dlq_drop(chosen))
    if as_json:
        output.document({"dropped": count})
    else:
        output.line(f"{count} deleted.")
    _report_unchanged(len(set(chosen)) - count, "already handled")


def _report_unchanged(number: int, reason: str) -> None:
    if number > 0:
        echo(f"{number} left unchanged: {reason}.")


def _dead_letters() -> list[dict[str, Any]]:
    with launch.server(_PROGRAMS) as programs:
        return list(programs.dlq_list())


def _chosen_letters(numbers: list[int] | None, *, everything: bool) -> list[int]:
    if numbers and everything:
        raise WrongUse("Numbers and --all exclude each other.", "Give one of them.")
    if not numbers and not everything:
        raise WrongUse("No dead letter given.", "Give their numbers, or --all.")
    return numbers or [int(item["dlqId"]) for item in _dead_letters()]
