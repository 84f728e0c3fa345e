"""``tokenq diff``: what a file would change."""

import typer

from tokenq.cli import output
from tokenq.cli.changes import show
from tokenq.cli.context import connect
from tokenq.cli.floor_file import FloorFile
from tokenq.cli.options import File, Json, Prune
from tokenq.contract.problems import Refused


def command(file: File, prune: Prune = False, as_json: Json = False) -> None:
    """Show in what the configuration differs from a file. Exit code 0: in nothing, 1: in something."""
    floor = FloorFile(file)
    try:
        changes = connect().apply_floor(floor.document, dry_run=True, prune=prune)
    except Refused as refusal:
        raise floor.located(refusal) from None
    if as_json:
        output.document({"changes": changes})
    else:
        show(changes, "'tokenq apply' makes them." if changes else "")
    if changes:
        raise typer.Exit(1)
