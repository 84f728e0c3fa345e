"""``tokenq diff``: compare the configuration with a file."""

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
    """Compare the configuration with a file. Exit code 0: no differences, 1: differences, 2: invalid file."""
    answer = _differences(file, prune=prune)
    changes, ends = answer["changes"], answer.get("ends") or {}
    if as_json:
        output.document({"changes": changes, "ends": ends})
    else:
        show(changes, "'tokenq apply' applies them." if changes else "", ends)
    if changes:
        raise typer.Exit(1)


def _differences(file: str, *, prune: bool) -> dict[str, Any]:
    """Return the changes that the file would make.

    Raises:
        WrongUse: the file is invalid; its exit code must not be that of a difference.
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
