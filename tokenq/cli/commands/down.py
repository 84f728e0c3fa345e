"""``tokenq down``: stop what ``up`` started."""

from pathlib import Path
from typing import Annotated

import typer

from tokenq.cli import launch, output
from tokenq.cli.options import Json
from tokenq.settings import load


def command(
    data_dir: Annotated[Path | None, typer.Option(help="The folder it was started with.")] = None,
    as_json: Json = False,
) -> None:
    """Stop what 'up' started on this folder. No data is lost; 'up' continues from there."""
    with launch.part("tokenq_server.embedded", "embedded") as embedded:
        folder = load(data_dir=data_dir).data_dir or embedded.default_data_dir()
        stopped = bool(embedded.down(folder))
    if as_json:
        output.document({"stopped": stopped, "dataDir": str(folder)})
    else:
        output.line(f"Stopped tokenq on {folder}." if stopped else f"Nothing was running on {folder}.")
