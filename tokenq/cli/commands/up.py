"""``tokenq up``: run everything on this machine."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.broker import why_unreachable
from tokenq.cli.exits import WrongUse, echo
from tokenq.cli.local_login import server_of_other_commands, sign_in
from tokenq.cli.next_step import MAKE_A_DEPARTMENT
from tokenq.cli.options import Json
from tokenq.cli.progress import Progress
from tokenq.client.calls import given
from tokenq.contract.hosts import is_loopback
from tokenq.contract.problems import ExitCode
from tokenq.settings import load

_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")
"""Passwords are masked in all output, which often ends in a log; scripts find them in endpoints.json."""


def command(
    demo: Annotated[bool, typer.Option("--demo", help="Add demo departments, customers and staff.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Folder for all data; the demo has its own.")] = None,
    host: Annotated[str | None, typer.Option(help="Address the API listens on; default: 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the API; 0 picks a free one. Default: 8080.")
    ] = None,
    lan: Annotated[
        bool, typer.Option("--lan", help="Serve the network, by https with a certificate of its own.")
    ] = False,
    tls_cert: Annotated[Path | None, typer.Option(help="PEM file with a certificate for https.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file with its key, if it is another file.")] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background; 'down' stops it.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only show whether it is running.")] = False,
    as_json: Json = False,
) -> int:
    """Run everything on this machine: database, Redis, broker, API, relay and e-mails."""
    if status and (detach or demo or lan or any(option is not None for option in (host, port, tls_cert, tls_key))):
        raise WrongUse("--status starts nothing.", "Leave out all options but --data-dir and --json.")
    settings = load(data_dir=data_dir, tls_cert=tls_cert, tls_key=tls_key)
    with launch.part("tokenq_server.embedded", "embedded") as embedded:
        folder = settings.data_dir or embedded.default_data_dir(demo=demo)
        if status:
            return _status(embedded, folder, as_json=as_json)
        if lan and host is not None and is_loopback(host):
            raise WrongUse(f"{host} is not on the network.", "Leave out --host, or name an address for other machines.")
        if settings.tls_key and not settings.tls_cert:
            raise WrongUse("A key needs its certificate.", "Add --tls-cert, or set TOKENQ_TLS_CERT.")
        at = given(host=embedded.EVERY_NETWORK if lan and host is None else host, port=port)
        options = embedded.UpOptions(
            data_dir=folder.absolute(),
            demo=demo,
            own_certificate=lan,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
            **at,
        )
        return _run(embedded, options, detach=detach, as_json=as_json)


def _run(embedded: ModuleType, options: Any, *, detach: bool, as_json: bool) -> int:
    is_first = not options.demo and _is_new(options.data_dir)
    with Progress() as progress:

        def ready(endpoints: Any) -> None:
            progress.finish()
            _welcome(endpoints, demo=options.demo, detach=detach, as_json=as_json)
            if is_first:
                echo("This place is new and empty. To look around first: 'tokenq up --demo --port 0', beside it.")
            echo(_farewell(embedded.down_command(options.data_dir), detach=detach))

        if not detach:
            return int(embedded.up(options, progress.report, ready))
        ready(embedded.start_detached(options, progress.report))
        return ExitCode.OK


def _welcome(endpoints: Any, *, demo: bool, detach: bool, as_json: bool) -> None:
    signed_in = sign_in(endpoints)
    if as_json:
        output.document(_masked(endpoints))
    echo(f"\ntokenq runs at {endpoints.api}{'; this machine is signed in as admin' if signed_in else ''}.")
    other = server_of_other_commands(endpoints.api)
    prefix = f"TOKENQ_URL={endpoints.api} " if other else ""
    if other:
        echo(f"Other commands still use {other}; prefix those for this server with {prefix.strip()}")
    echo("")
    echo("What to type next, in another terminal:" if not detach else "What to type next:")
    if folder := _folder_off_path():
        echo(f"  export PATH={folder}:$PATH")
    if demo:
        steps = [
            ("tokenq board", "the lobby board"),
            ("tokenq console --counter 9", "serve customers with the demo staff"),
        ]
    else:
        steps = [
            (MAKE_A_DEPARTMENT, "a department"),
            ("tokenq issue CW --email you@example.org", "the first customer"),
            ("tokenq console CW --counter 1", "serve the customer"),
            ("tokenq board", "the lobby board"),
        ]
    for typed, meaning in steps:
        echo(f"  {prefix}{typed:<46} {meaning}")
    _tell_network(endpoints)
    if why := endpoints.mail_server and why_unreachable(endpoints.mail_server):
        echo(f"\nWarning: the mail server {endpoints.mail_server} does not answer now: {why}.")
        echo("E-mails wait until it does. Start it, or correct TOKENQ_SMTP_URL.")
    elif endpoints.mail_server:
        echo(f"\nE-mails are sent through {endpoints.mail_server}.")
    else:
        echo(f"\nE-mails are written to {endpoints.mail_outbox} until TOKENQ_SMTP_URL is set.")
    password = Path(endpoints.admin_token_file).with_name("admin.password")
    if password.exists():  # until it is changed
        echo(f"The first admin's password is in {password}.")


def _is_new(folder: Path) -> bool:
    """Whether nothing is in a folder yet; what is said of one that cannot be read comes later."""
    try:
        return not any(folder.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _folder_off_path() -> str:
    """The folder of the command that was typed, quoted for a shell, if that shell does not find it; else empty."""
    typed = Path(sys.argv[0]).absolute()
    is_found = typed.name != "tokenq" or shutil.which("tokenq") is not None
    return "" if is_found else shlex.quote(str(typed.parent))


def _tell_network(endpoints: Any) -> None:
    """What to type on other machines, and what they will be asked."""
    if not endpoints.network:
        return
    echo("\nOn another machine:")
    echo(f"  tokenq login {endpoints.network[0]}")
    if others := endpoints.network[1:]:
        echo(f"  (this machine is also {', '.join(others)})")
    if endpoints.fingerprint:
        echo(f"It shows this fingerprint: {endpoints.fingerprint}")
        echo("Browsers and phones need a certificate signed by an authority: use --tls-cert or a proxy.")
    else:
        echo("Warning: plain http. Others on the network can read passwords and names: use --lan.")


def _farewell(down: str, *, detach: bool) -> str:
    return f"'{down}' stops it; nothing is lost." if detach else f"Ctrl-C here or '{down}' stops it; nothing is lost."


def _status(embedded: ModuleType, folder: Path, *, as_json: bool) -> int:
    state = embedded.status(folder)
    endpoints = _masked(state.endpoints) if state.endpoints else None
    if as_json:
        output.document(
            {
                "running": state.running,
                "ready": state.ready,
                "pid": state.pid,
                "dataDir": str(folder),
                "parts": dict(state.parts),
                "endpoints": endpoints,
            }
        )
    elif not state.running:
        output.line(f"Nothing is running on {folder}.")
    else:
        output.line(f"{'Ready' if state.ready else 'Running, but not ready'} on {folder} (process {state.pid}).")
        if down := [name for name, its in state.parts.items() if its not in ("up", "unused")]:
            output.line(f"Down: {', '.join(down)}.")
        # 'tokenq doctor' shows the limits, with what each counts.
        output.fields((name, _shown(value)) for name, value in (endpoints or {}).items() if name != "limits")
    return ExitCode.OK if state.ready else ExitCode.FAILED


def _masked(endpoints: Any) -> dict[str, Any]:
    document = json.loads(endpoints.to_json())
    return {
        name: _PASSWORD.sub(r"\1…@", value) if isinstance(value, str) else value for name, value in document.items()
    }


def _shown(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
