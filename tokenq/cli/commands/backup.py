"""``tokenq backup``: one file from which ``restore`` makes a data folder."""

from pathlib import Path
from typing import Annotated

import typer

from tokenq.cli import launch, output
from tokenq.cli.exits import WrongUse
from tokenq.cli.options import Json
from tokenq.cli.progress import StatusLine
from tokenq.settings import load


def command(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, or a folder that gets one.")],
    data_dir: Annotated[Path | None, typer.Option(help="The folder on which 'up' runs.")] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--encrypt-to", metavar="KEY", help="Encrypt for this public key of age; repeatable."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="With a folder: keep so many backups there, and delete older ones.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Back up what 'up' runs: the database as of one moment, and all passwords and keys.

    It may be used meanwhile. Whoever has the file has everything that is in the system: keep it safe, or encrypt it.
    Letters in the outbox folder and settings outside the data folder are not in it.
    """
    if keep is not None and not target.is_dir():
        raise WrongUse("--keep needs a folder.", "Name the folder in which the backups are kept.")
    with launch.part("tokenq_server.embedded", "embedded") as embedded, StatusLine() as line:
        folder = load(data_dir=data_dir).data_dir or embedded.default_data_dir()
        file: Path = embedded.back_up(folder, target.absolute(), to or [], line.show)
        deleted: list[Path] = embedded.keep_newest(file.parent, keep) if keep else []
    size = file.stat().st_size
    if as_json:
        output.document({"file": str(file), "bytes": size, "deleted": [str(old) for old in deleted]})
        return
    output.line(f"{file} ({size / 1e6:.1f} MB{', encrypted' if to else ''})")
    for old in deleted:
        output.line(f"Deleted {old}.")
