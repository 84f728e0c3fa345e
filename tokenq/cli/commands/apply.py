"""``tokenq apply``: apply a configuration file."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from tokenq.cli import output
from tokenq.cli.changes import show
from tokenq.cli.context import connect
from tokenq.cli.exits import echo
from tokenq.cli.floor_file import FloorFile
from tokenq.cli.options import File, Json, Prune, Yes
from tokenq.cli.prompts import confirm
from tokenq.cli.wording import hint_of, sentence_of
from tokenq.contract.problems import Refused


def command(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    prune: Prune = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Apply a file of branches, departments, counters and users: all changes, or none if anything is wrong."""
    try:
        floor = FloorFile(file)
        try:
            answer = _apply(floor.document, dry_run=dry_run, prune=prune, yes=yes)
        except Refused as refusal:
            raise floor.located(refusal) from None
    except Refused as refusal:
        raise _nothing_changed(refusal) from None
    if as_json:
        output.document(answer)
    else:
        changes = answer["changes"]
        show(changes, "Nothing was changed: this was a dry run." if dry_run else "", answer.get("ends"))
        if not dry_run and any(change["kind"] == "users" and change["action"] == "create" for change in changes):
            echo("New users have no password yet; set it with tokenq user update NAME --password.")


def _apply(document: Mapping[str, Any], *, dry_run: bool, prune: bool, yes: bool) -> dict[str, Any]:
    """Apply the document; a change that ends the business day needs confirmation."""
    client = connect()
    try:
        return client.apply_floor(document, dry_run=dry_run, prune=prune)
    except Refused as refusal:
        if "ends" not in refusal.problem.extra:
            raise
        confirm(f"{sentence_of(refusal.problem)} Apply it?", yes=yes)
    return client.apply_floor(document, prune=prune, end_day=True)


def _nothing_changed(refusal: Refused) -> Refused:
    problem = refusal.problem
    return Refused(problem.reworded(sentence_of(problem), f"{hint_of(problem)} Nothing was changed.".strip()))
