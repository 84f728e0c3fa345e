"""``tokenq doctor``: check every component and setting, and suggest fixes."""

import os
from typing import Annotated, Any

import typer

from tokenq.cli import launch, output
from tokenq.cli.checks import LIMIT, MAIL, Check, client_checks
from tokenq.cli.options import Json
from tokenq.cli.wording import in_commands
from tokenq.contract.advice import from_wire
from tokenq.contract.problems import ExitCode
from tokenq.errors import Missing

_STORES = ("TOKENQ_DATABASE_URL", "TOKENQ_REDIS_URL")
_MAIL = "TOKENQ_SMTP_URL"


def command(
    server: Annotated[
        bool | None,
        typer.Option(
            "--server/--no-server",
            help="Check database, Redis, Kafka and mail from here; default: only if their addresses are set.",
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Check every component and setting, and suggest fixes."""
    checks = client_checks()
    if server or (server is None and any(os.environ.get(name) for name in (*_STORES, _MAIL))):
        # Whoever knows the mail server and the limits of 'tokenq up' knows more than the settings here.
        of_up = {check.name for check in checks if check.name == MAIL or check.name.startswith(LIMIT)}
        checks += [check for check in _server_checks(everything=bool(server)) if check.name not in of_up]
    if as_json:
        output.document({"ok": all(check.ok for check in checks), "checks": [check._asdict() for check in checks]})
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            result = "FAIL" if not check.ok else "WARN" if check.warning else "ok  "
            output.line(result, f"{check.name:<{width}}", check.detail)
            if (not check.ok or check.warning) and check.hint:
                output.line(" " * (width + 5), check.hint)
    return ExitCode.OK if all(check.ok for check in checks) else ExitCode.FAILED


def _server_checks(*, everything: bool) -> list[Check]:
    """Check the server's side; of a machine on which only the mail server is configured, only that."""
    try:
        with launch.server("tokenq_server.doctor") as doctor:
            has_stores = everything or any(os.environ.get(name) for name in _STORES)
            return [_check(finding) for finding in doctor.check(only_mail=not has_stores)]
    except Missing as missing:
        return [Check("server parts", False, str(missing), missing.hint)]


def _check(finding: dict[str, Any]) -> Check:
    """Convert a finding of the server's checks, with its advice as a command."""
    advice = from_wire(finding["advice"])
    hint = in_commands(advice) if advice else finding["hint"]
    return Check(finding["name"], bool(finding["ok"]), finding["detail"], hint, bool(finding["warning"]))
