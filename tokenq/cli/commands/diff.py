"""``tokenq diff``: what a file would change."""

from typing import Any

import typer

from tokenq.cli import output
from tokenq.cli.changes import show
from tokenq.cli.context import connect
from tokenq.cli.exits import WrongUse
from tokenq.cli.floor_file import FloorFile
from tokenq.cli.options import File, Json, Prune
from tokenq.cli.wording import hint_of, sentence_of
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.errors import BadSettings


def command(file: File, prune: Prune = False, as_json: Json = False) -> None:
    """Show in what the configuration differs from a file. Exit code 0: in nothing, 1: in something, 2: a wrong file."""
    changes = _differences(file, prune=prune)
    if as_json:
        output.document({"changes": changes})
    else:
        show(changes, "'tokenq apply' makes them." if changes else "")
    if changes:
        raise typer.Exit(1)


def _differences(file: str, *, prune: bool) -> list[dict[str, Any]]:
    """The changes that the file would make.

    Raises:
        WrongUse: the file is wrong; that must not look like a difference.
    """
    try:
        floor = FloorFile(file)
    except BadSettings as error:
        raise WrongUse(str(error), error.hint) from None
    except Refused as refusal:
        raise WrongUse(sentence_of(refusal.problem), hint_of(refusal.problem)) from None
    try:
        try:
            return connect().apply_floor(floor.document, dry_run=True, prune=prune)
        except Refused as refusal:
            raise floor.located(refusal) from None
    except Refused as refusal:
        if refusal.problem.code is not ProblemCode.INVALID:
            raise
        raise WrongUse(sentence_of(refusal.problem), hint_of(refusal.problem)) from None
