"""Everything that can be refused: one stable code, one sentence, one hint."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from tokenq.contract import advice as advices
from tokenq.contract.advice import Advice


class ProblemCode(StrEnum):
    """The stable name of a failure; scripts compare these."""

    QUEUE_EMPTY = "queue_empty"
    AMBIGUOUS = "ambiguous"
    DEPARTMENT_CLOSED = "department_closed"
    WRONG_STATE = "wrong_state"
    STALE_CLAIM = "stale_claim"
    COUNTER_BUSY = "counter_busy"
    COUNTER_PAUSED = "counter_paused"
    COUNTER_CLOSED = "counter_closed"
    COUNTER_NOT_SERVING = "counter_not_serving"
    COUNTER_CLAIMED = "counter_claimed"
    DEPARTMENT_FULL = "department_full"
    TOO_EARLY = "too_early"
    LIMIT_REACHED = "limit_reached"
    NOTHING_TO_UNDO = "nothing_to_undo"
    ALREADY_WAITING = "already_waiting"
    EXISTS = "exists"
    IN_USE = "in_use"
    UNKNOWN_DEPARTMENT = "unknown_department"
    UNKNOWN_BRANCH = "unknown_branch"
    UNKNOWN_USER = "unknown_user"
    UNKNOWN_KEY = "unknown_key"
    UNKNOWN_COUNTER = "unknown_counter"
    UNKNOWN_TOKEN = "unknown_token"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    LOG_BEHIND = "log_behind"
    SCHEMA_BEHIND = "schema_behind"
    SCHEMA_AHEAD = "schema_ahead"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    INTERNAL = "internal"


class ExitCode(IntEnum):
    """What a script learns from the exit code of a command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    NOT_ALLOWED = 5
    UNREACHABLE = 6
    INTERRUPTED = 130


@dataclass(frozen=True)
class Kind:
    """What a code means to machines: the HTTP status that carries it, and the exit code of a command that meets it."""

    status: int
    exit_code: ExitCode


KINDS: dict[ProblemCode, Kind] = {
    ProblemCode.QUEUE_EMPTY: Kind(409, ExitCode.CONFLICT),
    ProblemCode.AMBIGUOUS: Kind(409, ExitCode.CONFLICT),
    ProblemCode.DEPARTMENT_CLOSED: Kind(409, ExitCode.CONFLICT),
    ProblemCode.WRONG_STATE: Kind(409, ExitCode.CONFLICT),
    ProblemCode.STALE_CLAIM: Kind(409, ExitCode.CONFLICT),
    ProblemCode.COUNTER_BUSY: Kind(409, ExitCode.CONFLICT),
    ProblemCode.COUNTER_PAUSED: Kind(409, ExitCode.CONFLICT),
    ProblemCode.COUNTER_CLOSED: Kind(409, ExitCode.CONFLICT),
    ProblemCode.COUNTER_NOT_SERVING: Kind(409, ExitCode.CONFLICT),
    ProblemCode.COUNTER_CLAIMED: Kind(409, ExitCode.CONFLICT),
    ProblemCode.DEPARTMENT_FULL: Kind(409, ExitCode.CONFLICT),
    ProblemCode.TOO_EARLY: Kind(409, ExitCode.CONFLICT),
    ProblemCode.LIMIT_REACHED: Kind(409, ExitCode.CONFLICT),
    ProblemCode.NOTHING_TO_UNDO: Kind(409, ExitCode.CONFLICT),
    ProblemCode.ALREADY_WAITING: Kind(409, ExitCode.CONFLICT),
    ProblemCode.EXISTS: Kind(409, ExitCode.CONFLICT),
    ProblemCode.IN_USE: Kind(409, ExitCode.CONFLICT),
    ProblemCode.UNKNOWN_DEPARTMENT: Kind(404, ExitCode.NOT_FOUND),
    ProblemCode.UNKNOWN_BRANCH: Kind(404, ExitCode.NOT_FOUND),
    ProblemCode.UNKNOWN_USER: Kind(404, ExitCode.NOT_FOUND),
    ProblemCode.UNKNOWN_KEY: Kind(404, ExitCode.NOT_FOUND),
    ProblemCode.UNKNOWN_COUNTER: Kind(404, ExitCode.NOT_FOUND),
    ProblemCode.UNKNOWN_TOKEN: Kind(404, ExitCode.NOT_FOUND),
    ProblemCode.NOT_FOUND: Kind(404, ExitCode.NOT_FOUND),
    ProblemCode.METHOD_NOT_ALLOWED: Kind(405, ExitCode.FAILED),
    ProblemCode.IDEMPOTENCY_MISMATCH: Kind(422, ExitCode.CONFLICT),
    ProblemCode.FORBIDDEN: Kind(403, ExitCode.NOT_ALLOWED),
    ProblemCode.UNAUTHENTICATED: Kind(401, ExitCode.NOT_ALLOWED),
    ProblemCode.RATE_LIMITED: Kind(429, ExitCode.UNREACHABLE),
    ProblemCode.OVERLOADED: Kind(503, ExitCode.UNREACHABLE),
    ProblemCode.UNAVAILABLE: Kind(503, ExitCode.UNREACHABLE),
    ProblemCode.LOG_BEHIND: Kind(503, ExitCode.FAILED),
    ProblemCode.SCHEMA_BEHIND: Kind(503, ExitCode.FAILED),
    ProblemCode.SCHEMA_AHEAD: Kind(503, ExitCode.FAILED),
    ProblemCode.INVALID: Kind(422, ExitCode.FAILED),
    ProblemCode.TOO_LARGE: Kind(413, ExitCode.FAILED),
    ProblemCode.INTERNAL: Kind(500, ExitCode.FAILED),
}


PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """One failure, ready to be shown to a person or to a script.

    ``detail`` is one sentence that says what is wrong, ``hint`` one that says what to do next
    (may be empty). ``extra`` holds machine-readable particulars such as ``retryAfter`` in seconds. ``advice`` is
    what to do next as an action, where the hint is one: each reader is told how it is done there.
    """

    code: ProblemCode
    detail: str
    hint: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    advice: Advice | None = None

    def to_wire(self) -> dict[str, Any]:
        """The RFC 9457 body."""
        return {
            "type": f"urn:tokenq:problem:{self.code}",
            "title": self.code.replace("_", " "),
            "status": KINDS[self.code].status,
            "code": str(self.code),
            "detail": self.detail,
            "hint": self.hint,
            **self.extra,
            **({"action": self.advice.to_wire()} if self.advice else {}),
        }

    @classmethod
    def from_wire(cls, body: Any, status: int) -> "Problem":
        """Read a problem body from any server; what is missing is filled in from the HTTP status."""
        body = body if isinstance(body, dict) else {}
        known = {"type", "title", "status", "code", "detail", "hint", "action"}
        try:
            code = ProblemCode(body.get("code", ""))
        except ValueError:
            code = next((code for code, kind in KINDS.items() if kind.status == status), ProblemCode.INTERNAL)
        detail = str(body.get("detail") or f"The server answered {status}.")
        extra = {k: v for k, v in body.items() if k not in known}
        return cls(code, detail, str(body.get("hint") or ""), extra, advices.from_wire(body.get("action")))


class Refused(Exception):
    """Something was asked for and not done; nothing has changed. Carries the :class:`Problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def refuse(code: ProblemCode, detail: str, hint: str | Advice = "", **extra: Any) -> Refused:
    """Make the exception for one failure; the caller raises it."""
    if isinstance(hint, Advice):
        return Refused(Problem(code, detail, hint.text(), extra, hint))
    return Refused(Problem(code, detail, hint, extra))
