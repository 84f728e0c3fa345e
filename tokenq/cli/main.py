"""The entry point of the command line; every failure ends here."""

import sys
from collections.abc import Sequence

from tokenq.cli import exits, output
from tokenq.cli.tree import root
from tokenq.contract.problems import ExitCode


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``tokenq`` with ``arguments`` (default: those of the process) and exit with its exit code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; no exception escapes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = root().main(args=arguments, prog_name="tokenq", standalone_mode=False)
    except output.ReaderGone:
        return ExitCode.OK
    except (Exception, KeyboardInterrupt) as error:
        return exits.report(error, as_json=_wants_json(arguments), typed=arguments)
    if not arguments and sys.stdout.isatty():
        _guide()
    if code == ExitCode.INTERRUPTED and sys.stderr.isatty():
        exits.echo("")  # the terminal's ^C stands on an unfinished line
    return code if isinstance(code, int) else ExitCode.OK


def _guide() -> None:
    """Say what to do next, below the menu."""
    from tokenq.cli.next_step import next_step_in_time

    try:
        step = next_step_in_time()
    except KeyboardInterrupt:
        return  # the menu was asked for, and is there
    for line in ["", *step.splitlines()] if step else ():
        output.line(line)


def _wants_json(arguments: list[str]) -> bool:
    before_data = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in before_data
