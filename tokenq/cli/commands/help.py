"""``tokenq help``: the help of a command, and all manual pages."""

from pathlib import Path
from typing import Annotated

import typer

from tokenq.cli import output
from tokenq.cli.exits import WrongUse


def command(
    words: Annotated[list[str] | None, typer.Argument(metavar="[COMMAND]...", help="A command, such as issue.")] = None,
    man: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Write the manual pages of all commands into this folder.")
    ] = None,
) -> None:
    """Show the help of a command, or write the manual pages."""
    from tokenq.cli.tree import root

    top = root()
    if man is None:
        top.main(args=[*(words or []), "--help"], prog_name="tokenq", standalone_mode=False)
        return
    from tokenq.cli.manual import write

    try:
        written = write(top, Path(man))
    except OSError as error:
        raise WrongUse(f"The pages cannot be written: {error}.", "Name a folder in which you may write.") from None
    output.line(f"{len(written)} pages are in {man}. Read one with: man {written[0]}")
