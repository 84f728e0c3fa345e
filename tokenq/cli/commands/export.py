"""``tokenq export``: export the configuration as a file."""

from pathlib import Path
from typing import Annotated

import typer

from tokenq.cli import output
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.floor_file import to_toml
from tokenq.cli.options import Json
from tokenq.errors import BadSettings


def command(
    to: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
    with_defaults: Annotated[bool, typer.Option("--all", help="Also show settings at their defaults.")] = False,
    as_json: Json = False,
) -> None:
    """Print the configuration as a file for 'tokenq apply'; without --all, only what differs from the defaults."""
    if to is not None and as_json:
        raise WrongUse("--output writes TOML, --json goes to stdout.", "Leave out one of them.")
    document = connect().floor(with_defaults=with_defaults)
    if as_json:
        output.document(document)
        return
    text = to_toml(document)
    if to is None:
        output.raw(text.rstrip("\n"))
        return
    try:
        Path(to).write_text(text, "utf-8")
    except OSError as error:
        raise BadSettings(f"{to} cannot be written: {error.strerror}.", "Choose another file.") from None
    echo(f"Written to {to}.")
