"""``tokenq restore``: a new data folder from a backup."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.options import Json
from tokenq.cli.progress import StatusLine
from tokenq.settings import load


def command(
    source: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A backup.")],
    data_dir: Annotated[Path | None, typer.Option(help="The folder to make; it must be new or empty.")] = None,
    identity: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The key, if the backup is encrypted."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Restore a backup into a new data folder. Start it with 'up' afterwards, and check it with 'verify'.

    What happened after the backup is lost. If the system from which it comes still runs, stop it first: both would
    issue the same numbers.
    """
    with launch.part("tokenq_server.embedded", "embedded") as embedded, StatusLine() as line:
        folder = (load(data_dir=data_dir).data_dir or embedded.default_data_dir()).absolute()
        manifest: Any = embedded.restore(source.absolute(), folder, identity, line.show)
    if as_json:
        output.document({"dataDir": str(folder), "at": manifest.at, "release": manifest.tokenq})
        return
    output.line(f"Restored to {folder}, as of {manifest.at}.")
    output.line(f"Start it:  tokenq up --data-dir {folder}")
    output.line("Check it:  tokenq verify")
    output.line("Whoever was erased since then is in it again: erase them once more.")
