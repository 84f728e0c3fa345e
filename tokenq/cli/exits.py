"""The only writer to stderr, and the only place that maps a failure to an exit code."""

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import typer

from tokenq.cli import output
from tokenq.cli.wording import hint_of, sentence_of
from tokenq.contract.advice import Action
from tokenq.contract.hosts import is_loopback
from tokenq.contract.problems import ExitCode, Problem, ProblemCode, Refused
from tokenq.errors import (
    BadReply,
    BadSettings,
    ChangedCertificate,
    InterruptedChange,
    Missing,
    OlderServer,
    OutputLost,
    StreamLost,
    TokenqError,
    Unreachable,
)
from tokenq.printable import printable
from tokenq.settings import is_debugging

_CLIENT_CODES: dict[type[TokenqError], str] = {
    Unreachable: "unreachable",
    StreamLost: "stream_lost",
    ChangedCertificate: "certificate_changed",
    OlderServer: "older_server",
    BadReply: "bad_reply",
    BadSettings: "bad_settings",
    Missing: "missing_part",
}


_CLIENT_HINTS: dict[type[TokenqError], str] = {
    BadReply: "Check that TOKENQ_URL is the address of a tokenq server.",
}


IDEMPOTENCY_KEY = "--idempotency-key"
_UNKNOWN = "Whether the command was carried out is unknown."


class WrongUse(typer.TyperException):
    """The command line is invalid; ``hint`` says how to correct it."""

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

    @property
    def document(self) -> dict[str, dict[str, str]]:
        """The failure for scripts."""
        return {"error": {"code": self.code, "detail": self.detail, "hint": self.hint}}


def echo(text: str) -> None:
    """Write a message for people to stderr; never data."""
    sys.stderr.write("\n".join(printable(line) for line in text.split("\n")) + "\n")
    sys.stderr.flush()


def report(error: BaseException, *, as_json: bool, typed: Sequence[str] = ()) -> int:
    """Report a failure to people (stderr) and scripts (stdout, with ``--json``); return the exit code.

    ``typed`` are the command's arguments, to be repeated if its outcome is unknown.
    """
    failure = explain(error, typed)
    if as_json:
        with suppress(output.ReaderGone, OutputLost):
            output.document(failure.document)
    say(error, failure)
    return failure.exit_code


def say(error: BaseException, failure: Failure, subject: str = "") -> None:
    """Report a failure to people; ``subject`` comes first if the sentence does not name it."""
    if is_debugging():
        traceback.print_exception(error)
    is_named = not subject or subject.lower() in failure.detail.lower()
    echo(f"tokenq: {failure.detail}" if is_named else f"tokenq: {subject}: {failure.detail}")
    if failure.hint:
        echo(f"  {failure.hint}")


def explain(error: BaseException, typed: Sequence[str] = ()) -> Failure:
    """Convert an exception to a failure. If a change may have been carried out, the hint is how to repeat it."""
    failure, key = _explain(error), _key_of(error)
    if key is None:
        return failure
    detail = failure.detail if isinstance(error, Refused) else f"{failure.detail} {_UNKNOWN}"
    return failure._replace(detail=detail, hint=f"To repeat it safely: {_repeat(typed, key)}")


def _key_of(error: BaseException) -> str | None:
    """The idempotency key of a change whose outcome is unknown."""
    if isinstance(error, Refused):
        key = error.problem.extra.get("idempotencyKey")
        return key if isinstance(key, str) else None
    return error.key if isinstance(error, Unreachable | InterruptedChange) else None


def _repeat(typed: Sequence[str], key: str) -> str:
    """The command that was typed, with its key."""
    import shlex

    end = typed.index("--") if "--" in typed else len(typed)
    has_key = any(word.partition("=")[0] == IDEMPOTENCY_KEY for word in typed[:end])
    added = [] if has_key else [IDEMPOTENCY_KEY, key]
    return shlex.join(["tokenq", *typed[:end], *added, *typed[end:]])


def _explain(error: BaseException) -> Failure:
    if isinstance(error, Refused):
        problem = error.problem
        return Failure(str(problem.code), sentence_of(problem), _hint(problem), problem.code.exit_code)
    if isinstance(error, InterruptedChange):
        return Failure("interrupted", str(error), error.hint, ExitCode.INTERRUPTED)
    if isinstance(error, TokenqError):
        code = next((code for kind, code in _CLIENT_CODES.items() if isinstance(error, kind)), "failed")
        lost = isinstance(error, Unreachable | StreamLost)
        hint = error.hint or next((hint for kind, hint in _CLIENT_HINTS.items() if isinstance(error, kind)), "")
        if not hint and isinstance(error, Unreachable):
            hint = _hint_if_away(error.url)
        return Failure(code, str(error), hint, ExitCode.UNREACHABLE if lost else ExitCode.FAILED)
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, KeyboardInterrupt | typer.Abort | EOFError):
        return Failure("interrupted", "Interrupted.", "", ExitCode.INTERRUPTED)
    if isinstance(error, OSError):
        return Failure("failed", f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), "", ExitCode.FAILED)
    return Failure(
        "internal",
        f"This is a bug in tokenq: {type(error).__name__}: {error}",
        "Run it again with TOKENQ_DEBUG=1. Report the traceback and 'tokenq --version --json' where you got tokenq.",
        ExitCode.FAILED,
    )


def _hint_if_away(url: str) -> str:
    """Which commands help if no server answers: those for this machine, or those for another one."""
    try:
        is_here = is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        is_here = False
    is_set = os.environ.get("TOKENQ_URL")
    elsewhere = "Wrong address? Correct TOKENQ_URL." if is_set else "Wrong address? 'tokenq login URL'."
    if is_here:
        return f"Start it here: 'tokenq up'. Is it running? 'tokenq up --status'. {elsewhere}"
    return f"Is it running? On its machine: 'tokenq up --status'. Check the way to it: 'tokenq doctor'. {elsewhere}"


def _hint(problem: Problem) -> str:
    """What to do next; logging in does not help while TOKENQ_TOKEN is set, since it takes precedence."""
    is_login = problem.advice is not None and problem.advice.action is Action.LOG_IN
    if problem.code is not ProblemCode.UNAUTHENTICATED or (problem.hint and not is_login):
        return hint_of(problem)
    if os.environ.get("TOKENQ_TOKEN"):
        return "TOKENQ_TOKEN is not valid; replace or unset it."
    return hint_of(problem) or "Run 'tokenq login', or set TOKENQ_TOKEN."


def _usage(error: typer.TyperException) -> Failure:
    context = getattr(error, "ctx", None)
    hint = getattr(error, "hint", "")
    if not hint and context is not None:
        hint = f"Try '{context.command_path} --help'."
    sentence = error.format_message()
    return Failure("usage", sentence if sentence.endswith((".", "?")) else f"{sentence}.", hint, error.exit_code)
