"""``tokenq up``: everything on this machine."""

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.local_login import server_of_other_commands, sign_in
from tokenq.cli.options import Json
from tokenq.cli.progress import Progress
from tokenq.contract.problems import ExitCode
from tokenq.settings import load

_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")
"""Screens are looked at over shoulders; scripts find the passwords in endpoints.json."""


def command(
    demo: Annotated[bool, typer.Option("--demo", help="Add departments, customers and staff, to look at.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept; the demo has its own.")] = None,
    host: Annotated[str, typer.Option(help="The address the API listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the API; 0 takes any free one.")] = 8080,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when it is ready; 'down' stops it.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only say whether it runs.")] = False,
    as_json: Json = False,
) -> int:
    """Run everything on this machine: database, waiting lines, broker, API, relay and letters."""
    if status and (detach or demo):
        raise WrongUse("--status only looks; it starts nothing.", "Leave out --detach and --demo.")
    with launch.part("tokenq_server.embedded", "embedded") as embedded:
        folder = load(data_dir=data_dir).data_dir or embedded.default_data_dir(demo=demo)
        if status:
            return _status(embedded, folder, as_json=as_json)
        options = embedded.UpOptions(data_dir=folder.absolute(), host=host, port=port, demo=demo)
        return _run(embedded, options, detach=detach, as_json=as_json)


def _run(embedded: ModuleType, options: Any, *, detach: bool, as_json: bool) -> int:
    with Progress() as progress:

        def ready(endpoints: Any) -> None:
            progress.finish()
            _welcome(endpoints, demo=options.demo, detach=detach, as_json=as_json)
            echo(_farewell(embedded.down_command(options.data_dir), detach=detach))

        if not detach:
            return int(embedded.up(options, progress.report, ready))
        ready(embedded.start_detached(options, progress.report))
        return ExitCode.OK


def _welcome(endpoints: Any, *, demo: bool, detach: bool, as_json: bool) -> None:
    signed_in = sign_in(endpoints)
    if as_json:
        output.document(json.loads(endpoints.to_json()))
    echo(f"\ntokenq runs at {endpoints.api}{'; this machine is signed in as admin' if signed_in else ''}.")
    other = server_of_other_commands(endpoints.api)
    there = f"TOKENQ_URL={endpoints.api} " if other else ""
    if other:
        echo(f"Other commands still go to {other}; those for this one begin with {there.strip()}")
    echo("")
    echo("What to type next, in another terminal:" if not detach else "What to type next:")
    if demo:
        steps = [
            ("tokenq board", "the lobby's screen"),
            ("tokenq console --counter 9", "serve beside the demo's staff"),
        ]
    else:
        steps = [
            ("tokenq dept create 'Customer window' --id CW", "a department"),
            ("tokenq issue CW --email you@example.org", "the first person in line"),
            ("tokenq console CW --counter 1", "serve them"),
            ("tokenq board", "the lobby's screen"),
        ]
    for typed, meaning in steps:
        echo(f"  {there}{typed:<46} {meaning}")
    echo(f"\nLetters go to {endpoints.mail_outbox} until TOKENQ_SMTP_URL is set.")
    password = Path(endpoints.admin_token_file).with_name("admin.password")
    if password.exists():  # until it is changed
        echo(f"The first admin's password is in {password}.")


def _farewell(down: str, *, detach: bool) -> str:
    return f"'{down}' stops it; nothing is lost." if detach else f"Ctrl-C here or '{down}' stops it; nothing is lost."


def _status(embedded: ModuleType, folder: Path, *, as_json: bool) -> int:
    found = embedded.status(folder)
    endpoints = json.loads(found.endpoints.to_json()) if found.endpoints else None
    if as_json:
        output.document(
            {
                "running": found.running,
                "ready": found.ready,
                "pid": found.pid,
                "dataDir": str(folder),
                "endpoints": endpoints,
            }
        )
    elif not found.running:
        output.line(f"Nothing is running on {folder}.")
    else:
        output.line(f"{'Ready' if found.ready else 'Running, but not ready'} on {folder} (process {found.pid}).")
        output.fields((name, _PASSWORD.sub(r"\1…@", value)) for name, value in (endpoints or {}).items())
    return ExitCode.OK if found.ready else ExitCode.FAILED
