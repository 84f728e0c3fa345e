"""Refusals: a stable code, one sentence, one hint.

A :class:`Reason` is a row of the catalogue in :mod:`tokenq.contract.reasons`: a code, a sentence and a hint, with
``{name}`` for each parameter. A refusal is a row with its parameters. The edge that shows it renders the text: English
on the wire, the reader's language and commands in the CLI, keys in the console.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum, StrEnum
from typing import Any

from tokenq.contract import advice as advices
from tokenq.contract.advice import Action, Advice


class ExitCode(IntEnum):
    """The exit codes of commands."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    NOT_ALLOWED = 5
    UNREACHABLE = 6
    INTERRUPTED = 130


class ProblemCode(StrEnum):
    """The stable name of an error, for scripts to compare, with its HTTP status and exit code."""

    status: int
    exit_code: ExitCode

    QUEUE_EMPTY = "queue_empty", 409, ExitCode.CONFLICT
    AMBIGUOUS = "ambiguous", 409, ExitCode.CONFLICT
    DEPARTMENT_CLOSED = "department_closed", 409, ExitCode.CONFLICT
    WRONG_STATE = "wrong_state", 409, ExitCode.CONFLICT
    STALE_CLAIM = "stale_claim", 409, ExitCode.CONFLICT
    COUNTER_BUSY = "counter_busy", 409, ExitCode.CONFLICT
    COUNTER_PAUSED = "counter_paused", 409, ExitCode.CONFLICT
    COUNTER_CLOSED = "counter_closed", 409, ExitCode.CONFLICT
    COUNTER_NOT_SERVING = "counter_not_serving", 409, ExitCode.CONFLICT
    COUNTER_CLAIMED = "counter_claimed", 409, ExitCode.CONFLICT
    DEPARTMENT_FULL = "department_full", 409, ExitCode.CONFLICT
    TOO_EARLY = "too_early", 409, ExitCode.CONFLICT
    LIMIT_REACHED = "limit_reached", 409, ExitCode.CONFLICT
    NOTHING_TO_UNDO = "nothing_to_undo", 409, ExitCode.CONFLICT
    ALREADY_WAITING = "already_waiting", 409, ExitCode.CONFLICT
    EXISTS = "exists", 409, ExitCode.CONFLICT
    IN_USE = "in_use", 409, ExitCode.CONFLICT
    UNKNOWN_DEPARTMENT = "unknown_department", 404, ExitCode.NOT_FOUND
    UNKNOWN_BRANCH = "unknown_branch", 404, ExitCode.NOT_FOUND
    UNKNOWN_USER = "unknown_user", 404, ExitCode.NOT_FOUND
    UNKNOWN_KEY = "unknown_key", 404, ExitCode.NOT_FOUND
    UNKNOWN_COUNTER = "unknown_counter", 404, ExitCode.NOT_FOUND
    UNKNOWN_TOKEN = "unknown_token", 404, ExitCode.NOT_FOUND
    NOT_FOUND = "not_found", 404, ExitCode.NOT_FOUND
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, ExitCode.FAILED
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch", 422, ExitCode.CONFLICT
    FORBIDDEN = "forbidden", 403, ExitCode.NOT_ALLOWED
    UNAUTHENTICATED = "unauthenticated", 401, ExitCode.NOT_ALLOWED
    RATE_LIMITED = "rate_limited", 429, ExitCode.UNREACHABLE
    OVERLOADED = "overloaded", 503, ExitCode.UNREACHABLE
    UNAVAILABLE = "unavailable", 503, ExitCode.UNREACHABLE
    LOG_BEHIND = "log_behind", 503, ExitCode.FAILED
    SCHEMA_BEHIND = "schema_behind", 503, ExitCode.FAILED
    SCHEMA_AHEAD = "schema_ahead", 503, ExitCode.FAILED
    INVALID = "invalid", 422, ExitCode.FAILED
    TOO_LARGE = "too_large", 413, ExitCode.FAILED
    HEADERS_TOO_LARGE = "headers_too_large", 431, ExitCode.FAILED
    TOO_SLOW = "too_slow", 408, ExitCode.UNREACHABLE
    INTERNAL = "internal", 500, ExitCode.FAILED

    def __new__(cls, name: str, status: int = 500, exit_code: ExitCode = ExitCode.FAILED) -> "ProblemCode":
        """The value is the name, so that ``ProblemCode(name)`` finds the code."""
        code = str.__new__(cls, name)
        code._value_ = name
        code.status, code.exit_code = status, exit_code
        return code


class Reason(Enum):
    """A row of the catalogue: why something is refused.

    ``sentence`` says what is wrong, ``hint`` what to do next: a sentence, an action, or nothing. Names of parameters
    are single words. Subclasses hold the rows of one subject.
    """

    def __init__(self, code: ProblemCode, sentence: str, hint: str | Action = "") -> None:
        self.code = code
        self.sentence = sentence
        self.hint: str | Action = hint

    @property
    def id(self) -> str:
        """The row's stable name on the wire, such as ``counter.busy``."""
        return f"{type(self).__name__.removesuffix('Reason').lower()}.{self.name.lower()}"

    @property
    def templates(self) -> tuple[str, ...]:
        """The texts to translate."""
        return (self.sentence,) if isinstance(self.hint, Action) or not self.hint else (self.sentence, self.hint)


def reasons() -> Iterator[Reason]:
    """Return the rows of all subjects imported so far."""
    for subject in Reason.__subclasses__():
        yield from subject


def fill(template: str, params: Mapping[str, Any]) -> str:
    """Fill in a template; a list is joined with commas."""
    return template.format_map({name: _shown(value) for name, value in params.items()})


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """One failure, ready to be shown to a person or to a script.

    ``detail`` is one sentence that says what is wrong, ``hint`` one that says what to do next (may be empty); both are
    English. ``reason`` names the row they come from and ``params`` what it is filled with, so that an edge can say the
    same in other words; ``advice`` is what to do next as an action, where the hint is one. ``extra`` holds
    machine-readable particulars such as ``retryAfter`` in seconds.
    """

    code: ProblemCode
    detail: str
    hint: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    advice: Advice | None = None
    reason: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def reworded(self, detail: str, hint: str) -> "Problem":
        """Return the same failure with final text that no edge renders again."""
        return replace(self, detail=detail, hint=hint, advice=None, reason=None)

    def to_wire(self) -> dict[str, Any]:
        """Return the RFC 9457 body."""
        return {
            "type": f"urn:tokenq:problem:{self.code}",
            "title": self.code.replace("_", " "),
            "status": self.code.status,
            "code": str(self.code),
            "detail": self.detail,
            "hint": self.hint,
            **self.extra,
            **({"reason": self.reason, "params": dict(self.params)} if self.reason else {}),
            **({"action": self.advice.to_wire()} if self.advice else {}),
        }

    @classmethod
    def from_wire(cls, body: Any, status: int) -> "Problem":
        """Read a problem body from any server; what is missing is filled in from the HTTP status."""
        body = body if isinstance(body, dict) else {}
        known = {"type", "title", "status", "code", "detail", "hint", "action", "reason", "params"}
        try:
            code = ProblemCode(body.get("code", ""))
        except ValueError:
            code = next((code for code in ProblemCode if code.status == status), ProblemCode.INTERNAL)
        reason, params = body.get("reason"), body.get("params")
        return cls(
            code,
            str(body.get("detail") or f"The server answered {status}."),
            str(body.get("hint") or ""),
            {key: value for key, value in body.items() if key not in known},
            advices.from_wire(body.get("action")),
            reason if isinstance(reason, str) else None,
            params if isinstance(params, dict) else {},
        )


class Refused(Exception):
    """Something was asked for and not done; nothing has changed. Carries the :class:`Problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def refuse(reason: Reason, extra: Mapping[str, Any] | None = None, /, **params: Any) -> Refused:
    """Make the exception for one failure; the caller raises it.

    ``params`` fill the row's sentence and hint, ``extra`` are particulars for programs.
    """
    advice = advices.about(reason.hint, params) if isinstance(reason.hint, Action) else None
    hint = advice.text() if advice else fill(str(reason.hint), params)
    detail = fill(reason.sentence, params)
    return Refused(Problem(reason.code, detail, hint, extra or {}, advice, reason.id, params))
