"""Paper tickets of live tokens: where a command prints them, and how."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tokenq.cli import output
from tokenq.cli.exits import WrongUse, echo
from tokenq.client import Client
from tokenq.contract.printers import parse_printer
from tokenq.errors import OutputLost
from tokenq.settings import Settings, load

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView

STDOUT = "-"
Printer = Annotated[
    str | None,
    typer.Option(
        "--printer",
        metavar="PRINTER",
        help="Print a paper ticket: tcp://HOST:9100, /dev/usb/lp0 or lp:NAME; - for stdout.",
    ),
]


@dataclass(frozen=True)
class Printing:
    """Where tickets go: to ``printer``, or to stdout. ``option`` is what to type to print one again."""

    printer: str | None
    option: str
    settings: Settings

    def ticket(self, client: Client, token: "TokenView") -> None:
        """Print a token's ticket. Raises OutputLost or output.ReaderGone; the token stays valid."""
        try:
            self._print(client, token)
        except KeyboardInterrupt:
            raise OutputLost("Printing was interrupted.") from None

    def _print(self, client: Client, token: "TokenView") -> None:
        from tokenq.paper.layout import Design, ticket_parts

        view, design = client.ticket(token), Design.of(self.settings)
        parts = ticket_parts(view, design)
        if self.printer is None:
            from tokenq.paper.plain import as_text

            output.raw(as_text(parts, design.columns, on_paper=not output.is_terminal(), note=echo))
            return
        from tokenq.paper.commands import as_commands
        from tokenq.paper.printing import send

        send(self.printer, as_commands(parts, design, view["language"], echo), echo)


def printing(is_wanted: bool, printer: str | None, *, as_json: bool) -> Printing | None:
    """Return where ``--print`` or ``--printer`` prints, by default the printer of the settings; ``None`` without both.

    Raises:
        WrongUse: the printer is none, or its ticket and JSON would both go to stdout.
    """
    if not is_wanted and printer is None:
        return None
    settings = load()
    chosen = _checked(printer) if printer is not None else settings.printer
    if chosen in (None, STDOUT):
        if as_json:
            raise WrongUse("A ticket and JSON cannot both go to stdout.", "Leave out --json, or add --printer PRINTER.")
        chosen = None
    return Printing(chosen, f"--printer {shlex.quote(printer)}" if printer is not None else "--print", settings)


def _checked(printer: str) -> str:
    if printer == STDOUT:
        return printer
    try:
        return str(parse_printer(printer))
    except ValueError as error:
        raise WrongUse(f"'{printer}' is no printer.", f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
