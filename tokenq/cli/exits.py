"""The only writer to stderr, and the only place that turns a failure into an exit code."""

import os
import sys
import traceback
from enum import IntEnum
from typing import NamedTuple

import typer

from tokenq.cli import output
from tokenq.cli.wording import as_typed
from tokenq.contract.problems import Problem, ProblemCode, Refused
from tokenq.errors import BadReply, BadSettings, Missing, StreamLost, TokenqError, Unreachable
from tokenq.printable import printable
from tokenq.settings import is_debugging


class ExitCode(IntEnum):
    """What a script learns from the exit code."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    NOT_ALLOWED = 5
    UNREACHABLE = 6
    INTERRUPTED = 130


EXIT_CODES: dict[ProblemCode, ExitCode] = {
    ProblemCode.QUEUE_EMPTY: ExitCode.CONFLICT,
    ProblemCode.AMBIGUOUS: ExitCode.CONFLICT,
    ProblemCode.DEPARTMENT_CLOSED: ExitCode.CONFLICT,
    ProblemCode.WRONG_STATE: ExitCode.CONFLICT,
    ProblemCode.STALE_CLAIM: ExitCode.CONFLICT,
    ProblemCode.COUNTER_BUSY: ExitCode.CONFLICT,
    ProblemCode.COUNTER_PAUSED: ExitCode.CONFLICT,
    ProblemCode.COUNTER_CLOSED: ExitCode.CONFLICT,
    ProblemCode.COUNTER_NOT_SERVING: ExitCode.CONFLICT,
    ProblemCode.COUNTER_CLAIMED: ExitCode.CONFLICT,
    ProblemCode.DEPARTMENT_FULL: ExitCode.CONFLICT,
    ProblemCode.TOO_EARLY: ExitCode.CONFLICT,
    ProblemCode.LIMIT_REACHED: ExitCode.CONFLICT,
    ProblemCode.NOTHING_TO_UNDO: ExitCode.CONFLICT,
    ProblemCode.ALREADY_WAITING: ExitCode.CONFLICT,
    ProblemCode.EXISTS: ExitCode.CONFLICT,
    ProblemCode.IN_USE: ExitCode.CONFLICT,
    ProblemCode.IDEMPOTENCY_MISMATCH: ExitCode.CONFLICT,
    ProblemCode.UNKNOWN_DEPARTMENT: ExitCode.NOT_FOUND,
    ProblemCode.UNKNOWN_BRANCH: ExitCode.NOT_FOUND,
    ProblemCode.UNKNOWN_USER: ExitCode.NOT_FOUND,
    ProblemCode.UNKNOWN_KEY: ExitCode.NOT_FOUND,
    ProblemCode.UNKNOWN_COUNTER: ExitCode.NOT_FOUND,
    ProblemCode.UNKNOWN_TOKEN: ExitCode.NOT_FOUND,
    ProblemCode.NOT_FOUND: ExitCode.NOT_FOUND,
    ProblemCode.FORBIDDEN: ExitCode.NOT_ALLOWED,
    ProblemCode.UNAUTHENTICATED: ExitCode.NOT_ALLOWED,
    ProblemCode.RATE_LIMITED: ExitCode.UNREACHABLE,
    ProblemCode.OVERLOADED: ExitCode.UNREACHABLE,
    ProblemCode.UNAVAILABLE: ExitCode.UNREACHABLE,
    ProblemCode.METHOD_NOT_ALLOWED: ExitCode.FAILED,
    ProblemCode.LOG_BEHIND: ExitCode.FAILED,
    ProblemCode.SCHEMA_BEHIND: ExitCode.FAILED,
    ProblemCode.SCHEMA_AHEAD: ExitCode.FAILED,
    ProblemCode.INVALID: ExitCode.FAILED,
    ProblemCode.TOO_LARGE: ExitCode.FAILED,
    ProblemCode.INTERNAL: ExitCode.FAILED,
}

_CLIENT_CODES: dict[type[TokenqError], str] = {
    Unreachable: "unreachable",
    StreamLost: "stream_lost",
    BadReply: "bad_reply",
    BadSettings: "bad_settings",
    Missing: "missing_part",
}


_LOOK = (
    "Look with 'tokenq queue DEPT' whether it was done before you repeat it. "
    "Only 'tokenq issue' with the same --idempotency-key is never done twice."
)


class WrongUse(typer.TyperException):
    """The command was typed in a way that cannot mean anything; ``hint`` says how to type it."""

    exit_code = ExitCode.USAGE

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint


class Failure(NamedTuple):
    """A failure as people and scripts see it."""

    code: str
    detail: str
    hint: str
    exit_code: int


def talk(text: str) -> None:
    """Say something to the person; never data."""
    sys.stderr.write("\n".join(printable(line) for line in text.split("\n")) + "\n")
    sys.stderr.flush()


def report(error: BaseException, *, as_json: bool) -> int:
    """Tell people (stderr) and scripts (stdout, with ``--json``) what went wrong; answers the exit code."""
    failure = explain(error)
    if is_debugging():
        traceback.print_exception(error)
    if as_json:
        output.document({"error": {"code": failure.code, "detail": failure.detail, "hint": failure.hint}})
    talk(f"tokenq: {failure.detail}")
    if failure.hint:
        talk(f"  {failure.hint}")
    return failure.exit_code


def explain(error: BaseException) -> Failure:
    """The failure behind an exception."""
    if isinstance(error, Refused):
        problem = error.problem
        return Failure(str(problem.code), as_typed(problem), _hint(problem), EXIT_CODES[problem.code])
    if isinstance(error, TokenqError):
        code = next((code for kind, code in _CLIENT_CODES.items() if isinstance(error, kind)), "failed")
        lost = isinstance(error, Unreachable | StreamLost)
        return Failure(code, str(error), error.hint, ExitCode.UNREACHABLE if lost else ExitCode.FAILED)
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, KeyboardInterrupt | typer.Abort | EOFError):
        return Failure("interrupted", "Interrupted.", "", ExitCode.INTERRUPTED)
    if isinstance(error, OSError):
        return Failure("failed", f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), "", ExitCode.FAILED)
    return Failure(
        "internal",
        f"This is a bug in tokenq: {type(error).__name__}: {error}",
        "Run it again with TOKENQ_DEBUG=1 to see where, and report that.",
        ExitCode.FAILED,
    )


def _hint(problem: Problem) -> str:
    """The server's hint, unless it is of no use to who types: a key that nobody knows, or to log in while
    TOKENQ_TOKEN would win over every login.
    """
    if problem.code is ProblemCode.UNAVAILABLE and "idempotency key" in problem.hint:
        return _LOOK
    if problem.code is not ProblemCode.UNAUTHENTICATED or (problem.hint and "tokenq login" not in problem.hint):
        return problem.hint
    if os.environ.get("TOKENQ_TOKEN"):
        return "TOKENQ_TOKEN is not valid; replace or unset it."
    return problem.hint or "Run 'tokenq login', or set TOKENQ_TOKEN."


def _usage(error: typer.TyperException) -> Failure:
    context = getattr(error, "ctx", None)
    hint = getattr(error, "hint", "")
    if not hint and context is not None:
        hint = f"Try '{context.command_path} --help'."
    sentence = error.format_message()
    return Failure("usage", sentence if sentence.endswith((".", "?")) else f"{sentence}.", hint, error.exit_code)
